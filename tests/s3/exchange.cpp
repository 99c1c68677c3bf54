// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/this_task.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <mutex>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;
namespace s3 = corolith::s3;
using namespace std::chrono_literals;
using namespace s3_test;
using s3::detail::connection_pool;
using s3::detail::exchange;
using s3::detail::http_request;
using s3::detail::http_response;
using s3::detail::origin;

namespace {

template <class Run>
s3::transport_error failure_of(Run&& run) {
  try {
    run();
  } catch (const s3::transport_error& problem) {
    return problem;
  }
  FAIL("nothing was thrown");
  throw std::logic_error("not reached");
}

/// Answers every request on a connection with its target.
void echo_targets(peer& client, int) {
  for (;;) {
    const std::string head = client.head();
    const std::size_t from = head.find(' ') + 1;
    client.answer(head.substr(from, head.find(' ', from) - from));
  }
}

cl::task<std::string> in_pieces(connection_pool* pool, origin to, std::size_t piece) {
  exchange with = co_await pool->open(to);
  co_await with.send(request("GET"));
  const http_response head = co_await with.receive_head();
  CHECK(head.status == 200);
  std::string all, room(piece, '\0');
  for (;;) {
    const std::size_t got = co_await with.receive(std::as_writable_bytes(std::span(room)));
    if (got == 0) break;
    all.append(room, 0, got);
  }
  CHECK(with.complete());
  co_return all;
}

cl::task<std::size_t> into(connection_pool* pool, origin to, std::string* place) {
  exchange with = co_await pool->open(to);
  co_await with.send(request("GET"));
  const http_response head = co_await with.receive_head();
  CHECK(head.content_length == place->size());
  co_return co_await with.receive_all(std::as_writable_bytes(std::span(*place)));
}

cl::task<int> uploads(connection_pool* pool, origin to, const std::string* body, std::size_t piece) {
  exchange with = co_await pool->open(to);
  co_await with.send(upload(body->size()));
  const auto bytes = std::as_bytes(std::span(*body));
  for (std::size_t at = 0; at < bytes.size() && !with.answered(); at += piece)
    co_await with.send_more(bytes.subspan(at, std::min(piece, bytes.size() - at)));
  const http_response head = co_await with.receive_head();
  const std::string text = co_await with.receive_text(1 << 16);
  co_return head.status;
}

struct continued {
  bool go = false;
  int status = 0;
};
cl::task<continued> uploads_when_told(connection_pool* pool, origin to, std::string body,
                                      std::chrono::nanoseconds most) {
  exchange with = co_await pool->open(to);
  continued seen;
  co_await with.send(upload(body.size(), true));
  seen.go = co_await with.wait_for_continue(most);
  if (seen.go) co_await with.send_more(std::as_bytes(std::span(body)));
  const http_response head = co_await with.receive_head();
  const std::string text = co_await with.receive_text(1 << 16);
  seen.status = head.status;
  co_return seen;
}

}  // namespace

TEST_CASE("a request is sent and its answer received", "[s3]") {
  std::promise<std::string> seen;
  scripted_server server([&](peer& client, int) {
    seen.set_value(client.head());
    client.answer("hello", "etag: \"x\"\r\n");
    client.rest();
  });
  pool_on_thread here;
  const answer got = here.run(ask(&here.pool, plain(server), request("GET", "/bucket/key?x=1")));
  CHECK(got.head.status == 200);
  CHECK(got.head.reason == "OK");
  CHECK(got.head.headers.value("ETag") == "\"x\"");
  CHECK(got.head.content_length == 5U);
  CHECK(got.head.keep_alive);
  CHECK(got.body == "hello");
  CHECK_FALSE(got.reused);
  CHECK(seen.get_future().get() == "GET /bucket/key?x=1 HTTP/1.1\r\nhost: here\r\n\r\n");
}

TEST_CASE("a connection serves one exchange after the other", "[s3]") {
  scripted_server server(echo_targets);
  pool_on_thread here;
  for (int i = 0; i < 5; ++i) {
    const answer got = here.run(ask(&here.pool, plain(server), request("GET", "/" + std::to_string(i))));
    CHECK(got.body == "/" + std::to_string(i));
    CHECK(got.reused == (i > 0));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("a head and a body come in whatever pieces", "[s3]") {
  const std::string body = pattern(300);
  const std::string all = "HTTP/1.1 200 OK\r\ncontent-length: 300\r\nx: y\r\n\r\n" + body;
  const std::size_t piece = GENERATE(1U, 7U, 50U, 1000U);
  scripted_server server([&](peer& client, int) {
    client.head();
    for (std::size_t at = 0; at < all.size(); at += piece) {
      client.write(all.substr(at, piece));
      if (piece < 50 && at % 5 == 0) std::this_thread::sleep_for(100us);
    }
    client.rest();
  });
  pool_on_thread here;
  CHECK(here.run(in_pieces(&here.pool, plain(server), 64)) == body);
}

TEST_CASE("a large body goes to its place", "[s3]") {
  const std::string body = pattern(9'000'001);
  scripted_server server([&](peer& client, int) {
    client.head();
    client.answer(body);
    client.head();
    client.answer("again");
    client.rest();
  });
  pool_on_thread here;
  std::string place(body.size(), '\0');
  CHECK(here.run(into(&here.pool, plain(server), &place)) == body.size());
  CHECK(place == body);
  CHECK(here.run(ask(&here.pool, plain(server), request("GET"))).body == "again");
  CHECK(server.connections() == 1);
}

TEST_CASE("a large body that is longer than it says is refused", "[s3]") {
  const std::string body = pattern(200'000);
  std::atomic<bool> sent{false};
  scripted_server server([&](peer& client, int) {
    client.head();
    client.answer(body);
    client.write("and more");
    sent = true;
    client.rest();
  });
  pool_on_thread here;
  const auto late = [](connection_pool* pool, origin to, std::atomic<bool>* all_sent) -> cl::task<void> {
    exchange with = co_await pool->open(to);
    co_await with.send(request("GET"));
    const http_response head = co_await with.receive_head();
    while (!*all_sent) co_await cl::sleep_for(1ms);
    std::string place(*head.content_length, '\0');
    co_await with.receive_all(std::as_writable_bytes(std::span(place)));
  };
  CHECK(failure_of([&] { here.run(late(&here.pool, plain(server), &sent)); }).code() == cl::errc::protocol);
}

TEST_CASE("a chunked body is joined, its trailer dropped", "[s3]") {
  const std::string large = pattern(100'000);
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n \r\n186a0\r\n" + large);
    client.write("\r\n0\r\nx-amz-checksum: abc\r\n\r\n");
    client.head();
    client.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n");
    client.write("\r\n");
    client.head();
    client.answer("again");
    client.rest();
  });
  pool_on_thread here;
  CHECK(here.run(in_pieces(&here.pool, plain(server), 3000)) == "hello " + large);
  CHECK(here.run(in_pieces(&here.pool, plain(server), 3000)).empty());
  CHECK(here.run(ask(&here.pool, plain(server), request("GET"))).body == "again");
  CHECK(server.connections() == 1);
}

TEST_CASE("a body without a length ends with its connection", "[s3]") {
  const std::string body = pattern(200'000);
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write("HTTP/1.1 200 OK\r\n\r\n" + body);
    client.close();
  });
  pool_on_thread here;
  CHECK(here.run(in_pieces(&here.pool, plain(server), 10'000)) == body);
  CHECK(here.run(ask(&here.pool, plain(server), request("GET"))).reused == false);
}

TEST_CASE("answers without a body leave the connection usable", "[s3]") {
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");  // to HEAD
    client.head();
    client.write("HTTP/1.1 204 No Content\r\n\r\n");
    client.head();
    client.write("HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n");
    client.head();
    client.answer("");
    client.rest();
  });
  pool_on_thread here;
  const answer first = here.run(ask(&here.pool, plain(server), request("HEAD")));
  CHECK(first.head.content_length == 1000U);
  CHECK(first.body.empty());
  CHECK(here.run(ask(&here.pool, plain(server), request("DELETE"))).head.status == 204);
  CHECK(here.run(ask(&here.pool, plain(server), request("GET"))).head.status == 304);
  CHECK(here.run(ask(&here.pool, plain(server), request("GET"))).reused);
  CHECK(server.connections() == 1);
}

TEST_CASE("a server that closes after its answer is believed", "[s3]") {
  const std::string says = GENERATE("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx",
                                    "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx");
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write(says);
    client.rest();
  });
  pool_on_thread here;
  const answer got = here.run(ask(&here.pool, plain(server), request("GET")));
  CHECK(got.body == "x");
  CHECK_FALSE(got.head.keep_alive);
  CHECK_FALSE(here.run(ask(&here.pool, plain(server), request("GET"))).reused);
  CHECK(server.connections() == 2);
}

TEST_CASE("a body is uploaded with its head and in pieces", "[s3]") {
  const std::string body = pattern(5'000'000);
  std::mutex mutex;
  std::vector<std::string> seen;
  scripted_server server([&](peer& client, int) {
    for (;;) {
      client.head();
      std::string one = client.body(body.size());
      {
        std::lock_guard lock(mutex);
        seen.push_back(std::move(one));
      }
      client.answer("");
    }
  });
  pool_on_thread here;
  CHECK(here.run(ask(&here.pool, plain(server), upload(body.size()), body)).head.status == 200);
  CHECK(here.run(uploads(&here.pool, plain(server), &body, 70'001)) == 200);
  std::lock_guard lock(mutex);
  CHECK(seen == std::vector<std::string>{body, body});
  CHECK(server.connections() == 1);
}

TEST_CASE("an answer that comes before the body was sent is seen", "[s3]") {
  const std::string body = pattern(64 << 20);
  const bool closes = GENERATE(false, true);
  std::atomic<bool> seen{false};
  scripted_server server([&](peer& client, int) {
    client.head();
    client.answer("no", "", "403 Forbidden");
    if (closes) return client.reset();
    while (!seen) std::this_thread::sleep_for(1ms);  // and reads nothing
  });
  pool_on_thread here;
  const bool at_once = GENERATE(false, true);
  int status = 0;
  try {
    status = at_once ? here.run(ask(&here.pool, plain(server), upload(body.size()), body)).head.status
                     : here.run(uploads(&here.pool, plain(server), &body, 1 << 20));
  } catch (const s3::transport_error& problem) {
    CHECK(closes);  // a reset may destroy the answer
    CHECK(problem.code() == cl::errc::unreachable);
    status = 403;
  }
  seen = true;
  CHECK(status == 403);
  CHECK(here.pool.counters().idle == 0);
}

TEST_CASE("the body waits for the server's word", "[s3]") {
  scripted_server server([&](peer& client, int number) {
    client.head();
    if (number == 0) client.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
    if (number == 1) return client.answer("", "connection: close\r\n", "403 Forbidden");
    if (client.body(4) != "body") throw std::runtime_error("another body");
    client.answer("", "connection: close\r\n");
    client.rest();
  });
  pool_on_thread here;
  const continued told = here.run(uploads_when_told(&here.pool, plain(server), "body", 10s));
  CHECK(told.go);
  CHECK(told.status == 200);
  const continued refused = here.run(uploads_when_told(&here.pool, plain(server), "body", 10s));
  CHECK_FALSE(refused.go);
  CHECK(refused.status == 403);
  const continued silent = here.run(uploads_when_told(&here.pool, plain(server), "body", 20ms));
  CHECK(silent.go);
  CHECK(silent.status == 200);
  CHECK(server.problems().empty());
}

TEST_CASE("an answer can be waited for a while, and the connection be used again", "[s3]") {
  std::atomic<bool> answers{false};
  scripted_server server([&](peer& client, int) {
    client.head();
    while (!answers) std::this_thread::sleep_for(1ms);
    client.answer("late");
    client.head();
    client.answer("at once");
    client.rest();
  });
  pool_on_thread here;
  const auto waits = [](connection_pool* pool, origin to, std::chrono::milliseconds most, std::atomic<bool>* then,
                        std::string* body) -> cl::task<bool> {
    exchange with = co_await pool->open(to);
    co_await with.send(request("GET"));
    const bool silent = co_await with.wait_for_continue(most);
    *then = true;
    const http_response head = co_await with.receive_head();
    *body = co_await with.receive_text(100);
    co_return silent&& head.status == 200;
  };
  std::string body;
  CHECK(here.run(waits(&here.pool, plain(server), 10ms, &answers, &body)));
  CHECK(body == "late");
  CHECK_FALSE(here.run(waits(&here.pool, plain(server), 10s, &answers, &body)));
  CHECK(body == "at once");
  CHECK(server.connections() == 1);
}

TEST_CASE("heads in between are skipped", "[s3]") {
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n");
    client.answer("done");
    client.rest();
  });
  pool_on_thread here;
  const answer got = here.run(ask(&here.pool, plain(server), request("GET")));
  CHECK(got.body == "done");
  CHECK(got.head.headers.size() == 1);
}

TEST_CASE("an answer that is cut off is unreachable, and says where", "[s3]") {
  struct cut {
    const char* sent;
    const char* says;
  };
  const cut each =
      GENERATE(cut{"", "without an answer"}, cut{"HTTP/1.1 200 OK\r\nconte", "within the head"},
               cut{"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", "after 0 of 10 bytes"},
               cut{"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", "after 5 of 10 bytes"},
               cut{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", "last chunk"},
               cut{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "last chunk"});
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write(each.sent);
    client.close();
  });
  pool_on_thread here;
  const auto problem = failure_of([&] { here.run(ask(&here.pool, plain(server), request("GET"))); });
  CHECK(problem.code() == cl::errc::unreachable);
  CHECK_THAT(problem.what(), Catch::Contains(each.says));
  CHECK_THAT(problem.what(), Catch::Contains("http://127.0.0.1:" + std::to_string(server.port())));
  CHECK_FALSE(problem.nothing_received());
  CHECK(here.pool.counters().open == 0);
}

TEST_CASE("an answer that is no HTTP is refused", "[s3]") {
  const char* const sent = GENERATE(
      "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
      "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nx", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, world",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx");
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write(sent);
    client.rest();
  });
  pool_on_thread here;
  const auto problem = failure_of([&] { here.run(ask(&here.pool, plain(server), request("GET"))); });
  CHECK(problem.code() == cl::errc::protocol);
  CHECK(here.pool.counters().open == 0);
}

TEST_CASE("a head or a line without end is refused", "[s3]") {
  const bool chunked = GENERATE(false, true);
  const bool lines = GENERATE(false, true);
  scripted_server server([&](peer& client, int) {
    client.head();
    client.write(chunked ? "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;" : "HTTP/1.1 200 OK\r\nx: ");
    for (int i = 0; i < 100'000; ++i) client.write(lines && !chunked ? "x\r\nx: " : "xxxx");
  });
  pool_on_thread here;
  const auto problem = failure_of([&] { here.run(ask(&here.pool, plain(server), request("GET"))); });
  CHECK(problem.code() == cl::errc::protocol);
  CHECK_THAT(problem.what(), Catch::Contains("longer than"));
}

TEST_CASE("a text that is too long is refused", "[s3]") {
  scripted_server server(echo_targets);
  pool_on_thread here;
  const auto most = [](connection_pool* pool, origin to, std::size_t limit) -> cl::task<std::string> {
    exchange with = co_await pool->open(to);
    co_await with.send(request("GET", "/12345"));
    const http_response head = co_await with.receive_head();
    CHECK(head.status == 200);
    co_return co_await with.receive_text(limit);
  };
  CHECK(here.run(most(&here.pool, plain(server), 6)) == "/12345");
  CHECK(failure_of([&] { here.run(most(&here.pool, plain(server), 5)); }).code() == cl::errc::protocol);
}

TEST_CASE("a head that would be read as another is not sent", "[s3]") {
  scripted_server server(echo_targets);
  pool_on_thread here;
  std::vector<http_request> bad(7, request("GET"));
  bad[0].headers.add("x", "a\r\nhost: elsewhere");
  bad[1].headers.add("x", "a\nb");
  bad[2].headers.add("x\r\ny", "a");
  bad[3].headers.add("x y", "a");
  bad[4].target = "/a b";
  bad[5].target = "/a\r\n";
  bad[6].method = "GET /";
  for (const http_request& each : bad) {
    try {
      here.run(ask(&here.pool, plain(server), each));
      FAIL("it was sent");
    } catch (const cl::error& problem) {
      CHECK(problem.code() == cl::errc::misuse);
    }
  }
  http_request good = request("GET", "/%20");
  good.headers.add("x", "a\tb \xc3\xa4");
  CHECK(here.run(ask(&here.pool, plain(server), good)).body == "/%20");
}

TEST_CASE("a server that says nothing is not waited for without end", "[s3]") {
  const std::string body = pattern(32 << 20);
  scripted_server server([&](peer& client, int number) {
    if (number == 2) return static_cast<void>(std::this_thread::sleep_for(600ms));  // reads nothing
    client.head();
    if (number == 1) client.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    client.rest();
  });
  s3::transport_options options;
  options.idle_timeout = 250ms;
  pool_on_thread here(options);
  for (int i = 0; i < 3; ++i) {
    const auto problem = failure_of([&] {
      here.run(i < 2 ? ask(&here.pool, plain(server), request("GET"))
                     : ask(&here.pool, plain(server), upload(body.size()), body));
    });
    CHECK(problem.code() == cl::errc::unreachable);
    CHECK_THAT(problem.what(), Catch::Contains("too long"));
    CHECK_FALSE(problem.nothing_received());
  }
  CHECK(here.pool.counters().open == 0);
}

TEST_CASE("a stop request ends an exchange and closes its connection", "[s3]") {
  std::atomic<int> heads{0};
  scripted_server server([&](peer& client, int) {
    client.head();
    ++heads;
    client.rest();
  });
  pool_on_thread here;
  std::stop_source stop;
  std::thread stopper([&] {
    while (heads == 0) std::this_thread::sleep_for(1ms);
    stop.request_stop();
  });
  CHECK_THROWS_AS(here.run(ask(&here.pool, plain(server), request("GET")), stop.get_token()), cl::cancelled);
  stopper.join();
  CHECK(here.pool.counters().open == 0);
}
