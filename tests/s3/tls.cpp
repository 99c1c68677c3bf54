// SPDX-License-Identifier: Apache-2.0
#include "certificates.hpp"
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/when_all.hpp>

#include <catch2/catch.hpp>
#include "support/scratch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;
namespace s3 = corolith::s3;
using namespace std::chrono_literals;
using namespace s3_test;
using s3::detail::connection_pool;
using s3::detail::exchange;
using s3::detail::http_response;
using s3::detail::origin;

namespace {

struct trusted {
  test_support::scratch folder;
  authority root;
  server_context context = root.vouch_for("DNS:localhost,IP:127.0.0.1");
  s3::transport_options options;

  trusted() {
    options.tls.ca_file = folder / "ca.pem";
    root.write_to(options.tls.ca_file);
  }
};

void answers_all(peer& client, int) {
  for (;;) {
    client.head();
    client.answer("over TLS");
  }
}

s3::transport_error refusal(const s3::transport_options& options, const origin& to) {
  pool_on_thread here(options);
  try {
    here.run(ask(&here.pool, to, request("GET")));
  } catch (const s3::transport_error& problem) {
    return problem;
  }
  throw std::logic_error("it was trusted");
}

cl::task<std::size_t> into(connection_pool* pool, origin to, std::string* place) {
  exchange with = co_await pool->open(std::move(to));
  co_await with.send(request("GET"));
  const http_response head = co_await with.receive_head();
  CHECK_FALSE(with.plain_socket());
  co_return co_await with.receive_all(std::as_writable_bytes(std::span(*place)));
}

}  // namespace

TEST_CASE("a server is believed that a known authority vouches for", "[s3]") {
  trusted here_and_there;
  scripted_server server(answers_all, here_and_there.context.get());
  pool_on_thread here(here_and_there.options);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    for (int i = 0; i < 3; ++i) {
      const answer got = here.run(ask(&here.pool, secure(server, host), request("GET")));
      CHECK(got.body == "over TLS");
      CHECK(got.reused == (i > 0));
    }
  }
  CHECK(server.connections() == 2);
}

TEST_CASE("a server is not believed", "[s3]") {
  trusted known;
  const authority stranger("somebody else");
  struct kind {
    server_context context;
    std::string says;
  };
  std::vector<kind> kinds;
  kinds.push_back({stranger.vouch_for("DNS:localhost"), "nobody who is trusted"});
  kinds.push_back({known.root.vouch_for("DNS:elsewhere"), "not for 'localhost'"});
  kinds.push_back({known.root.vouch_for("DNS:localhost", -7200, -3600), "not valid at this time"});
  kinds.push_back({known.root.vouch_for("DNS:localhost", 3600, 7200), "not valid at this time"});
  for (const kind& each : kinds) {
    INFO(each.says);
    scripted_server server(answers_all, each.context.get());
    const s3::transport_error problem = refusal(known.options, secure(server));
    CHECK(problem.code() == cl::errc::access_denied);
    CHECK_THAT(problem.what(), Catch::Contains(each.says));
    CHECK_THAT(problem.what(), Catch::Contains("https://localhost:"));
  }
  scripted_server server(answers_all, known.context.get());
  CHECK(refusal({}, secure(server)).code() == cl::errc::access_denied);  // those of the system do not know it
}

TEST_CASE("a certificate for a name is none for an address, and the reverse", "[s3]") {
  trusted known;
  const server_context for_name = known.root.vouch_for("DNS:localhost");
  const server_context for_address = known.root.vouch_for("IP:127.0.0.1");
  scripted_server named(answers_all, for_name.get()), numbered(answers_all, for_address.get());
  CHECK(refusal(known.options, secure(named, "127.0.0.1")).code() == cl::errc::access_denied);
  CHECK(refusal(known.options, secure(numbered, "localhost")).code() == cl::errc::access_denied);
}

TEST_CASE("TLS without verification, and with another name", "[s3]") {
  const authority stranger("somebody else");
  trusted known;
  const server_context unknown = stranger.vouch_for("DNS:elsewhere");
  scripted_server server(answers_all, unknown.get());
  s3::transport_options careless;
  careless.tls.verify = false;
  pool_on_thread here(careless);
  CHECK(here.run(ask(&here.pool, secure(server), request("GET"))).body == "over TLS");

  const server_context elsewhere = known.root.vouch_for("DNS:elsewhere");
  scripted_server other(answers_all, elsewhere.get());
  known.options.tls.server_name = "elsewhere";
  pool_on_thread there(known.options);
  CHECK(there.run(ask(&there.pool, secure(other), request("GET"))).body == "over TLS");
}

TEST_CASE("authorities that cannot be read are a wrong setting", "[s3]") {
  s3::transport_options options;
  options.tls.ca_file = "/nowhere/ca.pem";
  try {
    pool_on_thread here(options);
    FAIL("they were read");
  } catch (const cl::error& problem) {
    CHECK(problem.code() == cl::errc::config);
    CHECK_THAT(problem.what(), Catch::Contains("/nowhere/ca.pem"));
  }
}

TEST_CASE("a server that speaks no TLS", "[s3]") {
  trusted known;
  const bool talks = GENERATE(false, true);
  scripted_server server([&](peer& client, int) {
    if (talks) client.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    if (!talks) return client.close();
    client.rest();
  });
  const s3::transport_error problem = refusal(known.options, secure(server));
  CHECK(problem.code() == (talks ? cl::errc::protocol : cl::errc::unreachable));
  CHECK_THAT(problem.what(), Catch::Contains("TLS"));
}

TEST_CASE("a server that never finishes the handshake", "[s3]") {
  trusted known;
  known.options.connect_timeout = 50ms;
  scripted_server server([&](peer& client, int) { client.rest(); });
  const s3::transport_error problem = refusal(known.options, secure(server));
  CHECK(problem.code() == cl::errc::unreachable);
  CHECK_THAT(problem.what(), Catch::Contains("too long"));
}

TEST_CASE("large bodies go both ways over TLS", "[s3]") {
  trusted known;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  SSL_CTX_set_min_proto_version(known.context.get(), version);
  SSL_CTX_set_max_proto_version(known.context.get(), version);
  const std::string body = pattern(5'000'001);
  scripted_server server(
      [&](peer& client, int) {
        client.head();
        client.answer(body);
        client.head();
        if (client.body(body.size()) != body) throw std::runtime_error("another body");
        client.answer("thanks");
        client.rest();
      },
      known.context.get());
  pool_on_thread here(known.options);
  std::string place(body.size(), '\0');
  CHECK(here.run(into(&here.pool, secure(server), &place)) == body.size());
  CHECK(place == body);
  CHECK(here.run(ask(&here.pool, secure(server), upload(body.size()), body)).body == "thanks");
  CHECK(server.connections() == 1);
  CHECK(server.problems().empty());
}

TEST_CASE("a server that was seen before is greeted with half a handshake", "[s3]") {
  trusted known;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(known.context.get(), version);
  std::atomic<int> resumed{0};
  scripted_server server(
      [&](peer& client, int) {
        if (client.resumed()) ++resumed;
        client.head();
        client.answer("", "connection: close\r\n");
        client.close();
      },
      known.context.get());
  pool_on_thread here(known.options);
  for (int i = 0; i < 4; ++i) here.run(ask(&here.pool, secure(server), request("GET")));
  CHECK(server.connections() == 4);
  CHECK(resumed == 3);
}

TEST_CASE("a body that ends with its connection needs the server's word over TLS", "[s3]") {
  trusted known;
  const bool says_so = GENERATE(false, true);
  scripted_server server(
      [&](peer& client, int) {
        client.head();
        client.write("HTTP/1.1 200 OK\r\n\r\nhalf or whole");
        says_so ? client.close() : client.drop();
      },
      known.context.get());
  pool_on_thread here(known.options);
  if (says_so) {
    CHECK(here.run(ask(&here.pool, secure(server), request("GET"))).body == "half or whole");
  } else {
    CHECK(refusal(known.options, secure(server)).code() == cl::errc::unreachable);
  }
}

TEST_CASE("an end under a request over TLS says that nothing was received", "[s3]") {
  trusted known;
  const int how = GENERATE(0, 1, 2);
  scripted_server server(
      [&](peer& client, int) {
        client.head();
        client.answer("");
        client.head();
        if (how == 0) client.close();
        if (how == 1) client.drop();
        if (how == 2) client.reset();
      },
      known.context.get());
  pool_on_thread here(known.options);
  here.run(ask(&here.pool, secure(server), request("GET")));
  try {
    here.run(ask(&here.pool, secure(server), request("GET")));
    FAIL("there was an answer");
  } catch (const s3::transport_error& problem) {
    CHECK(problem.code() == cl::errc::unreachable);
    CHECK(problem.nothing_received());
  }
}

TEST_CASE("an answer that comes before the body was sent is seen over TLS", "[s3]") {
  trusted known;
  const std::string body = pattern(64 << 20);
  std::atomic<bool> seen{false};
  scripted_server server(
      [&](peer& client, int) {
        client.head();
        client.answer("no", "", "403 Forbidden");
        while (!seen) std::this_thread::sleep_for(1ms);
      },
      known.context.get());
  pool_on_thread here(known.options);
  const answer got = here.run(ask(&here.pool, secure(server), upload(body.size()), body));
  seen = true;
  CHECK(got.head.status == 403);
  CHECK(got.body == "no");
}

TEST_CASE("records that were changed on the way are refused", "[s3]") {
  trusted known;
  scripted_server server(
      [&](peer& client, int) {
        client.head();
        const std::string forged("\x17\x03\x03\x00\x20 this was not encrypted by anybody", 37);
        if (::send(client.fd(), forged.data(), forged.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("not sent");
        client.rest();
      },
      known.context.get());
  CHECK(refusal(known.options, secure(server)).code() == cl::errc::protocol);
}
