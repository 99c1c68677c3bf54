// SPDX-License-Identifier: Apache-2.0
// What the client does when servers, connections and clocks fail, and when it is told to stop.
#include "client_support.hpp"

#include <corolith/coro/spawn.hpp>
#include <corolith/s3/multipart.hpp>

#include <atomic>
#include <filesystem>
#include <stop_token>
#include <thread>

using namespace s3_test;

namespace {

/// Answers with an error, in the usual way.
void refuse(peer& to, const std::string& status, const std::string& name, const std::string& headers = "",
            const std::string& more = "") {
  to.answer(fake_s3::error(name, more), headers, status);
}

s3::s3_error thrown_by(const std::function<void()>& does) {
  try {
    does();
  } catch (const s3::s3_error& failure) {
    return failure;
  }
  FAIL("no s3_error was thrown");
  throw std::logic_error("not reached");
}

/// Runs a task and asks it to stop as soon as `when` holds.
template <class T>
errc stopped(task<T> work, const std::function<bool()>& when) {
  std::stop_source stop;
  std::jthread stopper([&](const std::stop_token& ended) {
    while (!when() && !ended.stop_requested()) std::this_thread::yield();
    stop.request_stop();
  });
  return code_of([&] { sync_wait(std::move(work), stop.get_token()); });
}

bool is_empty(const scratch& folder) { return std::filesystem::is_empty(folder.path()); }

}  // namespace

TEST_CASE("failures of the server are tried again") {
  fake_s3 server;
  server.set("/b/k", "hello");
  std::atomic<int> failures{3};
  const auto script = server.on([&](peer& to, const seen_request&) {
    if (failures-- <= 0) return false;
    refuse(to, "503 Slow Down", "SlowDown", "retry-after: 0\r\n");
    return true;
  });
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(client.counters().retries == 3);
  CHECK(server.requests().size() == 4);
}

TEST_CASE("it is tried only so often") {
  fake_s3 server;
  const auto script = server.on([](peer& to, const seen_request&) {
    refuse(to, "500 Internal Server Error", "InternalError");
    return true;
  });
  s3::client_options options = options_for(server);
  options.retry.attempts = 3;
  const s3::client client(options);
  const s3::s3_error failure = thrown_by([&] { sync_wait(client.get("b", "k")); });
  CHECK(failure.code() == errc::storage);
  CHECK(failure.name() == "InternalError");
  CHECK(failure.request_id() == "r1");
  CHECK(std::string(failure.what()).find("3 times") != std::string::npos);
  CHECK(server.requests().size() == 3);
}

TEST_CASE("a budget bounds the retries of all requests together") {
  fake_s3 server;
  const auto script = server.on([](peer& to, const seen_request&) {
    refuse(to, "500 Internal Server Error", "InternalError");
    return true;
  });
  s3::client_options options = options_for(server);
  options.retry.budget = 50;
  const s3::client client(options);
  for (int i = 0; i < 10; ++i) CHECK(code_of([&] { sync_wait(client.get("b", "k")); }) == errc::storage);
  CHECK(server.requests().size() == 10 + 5);
}

TEST_CASE("what cannot help is not tried again") {
  fake_s3 server;
  const auto script = server.on([](peer& to, const seen_request& request) {
    if (request.path == "/b/denied") refuse(to, "403 Forbidden", "AccessDenied");
    if (request.path == "/b/bad") refuse(to, "400 Bad Request", "InvalidArgument");
    if (request.path == "/b/signature") refuse(to, "403 Forbidden", "SignatureDoesNotMatch");
    return request.path != "/b/none";
  });
  const s3::client client(options_for(server));
  CHECK(code_of([&] { sync_wait(client.get("b", "denied")); }) == errc::access_denied);
  CHECK(code_of([&] { sync_wait(client.get("b", "bad")); }) == errc::storage);
  CHECK(code_of([&] { sync_wait(client.get("b", "signature")); }) == errc::access_denied);
  CHECK(code_of([&] { sync_wait(client.get("b", "none")); }) == errc::not_found);
  CHECK(server.requests().size() == 4);
}

TEST_CASE("a body that breaks off is continued where it broke") {
  fake_s3 server;
  const std::string content = noise(60'000, 1);
  server.set("/b/k", content);
  std::atomic<int> breaks{2};
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (breaks-- <= 0) return false;
    const auto from = static_cast<std::size_t>(std::stoul(request.header("range").substr(6)));
    to.write("HTTP/1.1 206 Partial Content\r\ncontent-length: " + std::to_string(content.size() - from) +
             "\r\ncontent-range: bytes " + std::to_string(from) + "-59999/60000\r\netag: \"" +
             fake_s3::etag_of(content) + "\"\r\n\r\n" + content.substr(from, 20'000));
    to.drop();
    throw peer_gone("on purpose");
  });
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get_text("b", "k")) == content);
  const auto seen = server.requests();
  REQUIRE(seen.size() == 3);
  CHECK(seen[1].header("range") == "bytes=20000-59999");
  CHECK(seen[2].header("range") == "bytes=40000-59999");
  CHECK(client.counters().bytes_received == content.size());
}

TEST_CASE("connections that break are made again") {
  fake_s3 server;
  server.set("/b/k", "hello");
  std::atomic<int> breaks{3};
  const auto script = server.on([&](peer& to, const seen_request&) -> bool {
    if (breaks-- <= 0) return false;
    to.reset();
    throw peer_gone("on purpose");
  });
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
}

TEST_CASE("no server is an error that says so") {
  s3::client_options options;
  {
    fake_s3 server;
    options = options_for(server);
  }
  options.retry.attempts = 2;
  const s3::client client(options);
  const s3::s3_error failure = thrown_by([&] { sync_wait(client.get("b", "k")); });
  CHECK(failure.code() == errc::unreachable);
  CHECK(failure.operation() == "get");
}

TEST_CASE("an object that is replaced while it is read is an error") {
  fake_s3 server;
  const std::string content = noise(500'000, 2);
  server.set("/b/k", content);
  std::atomic<int> gets{0};
  const auto script = server.on([&](peer&, const seen_request&) {
    if (++gets == 2) server.set("/b/k", noise(500'000, 3));
    return false;
  });
  const s3::client client(options_for(server));
  const scratch folder;
  SECTION("into memory") {
    CHECK(code_of([&] { sync_wait(client.get("b", "k")); }) == errc::precondition_failed);
  }
  SECTION("into a file") {
    CHECK(code_of([&] { sync_wait(client.get_to_file("b", "k", folder / "k")); }) == errc::precondition_failed);
    CHECK(is_empty(folder));
  }
  SECTION("as a stream") {
    CHECK(code_of([&] { sync_wait(gather(client.stream("b", "k"))); }) == errc::precondition_failed);
  }
}

TEST_CASE("an object that is replaced is noticed though the server knows no conditions") {
  fake_s3 server;
  server.set("/b/k", noise(500'000, 4));
  std::atomic<int> gets{0};
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (++gets == 1) return false;
    const std::string other = noise(500'000, 5);
    const std::string range = request.header("range");
    const std::size_t from = std::stoul(range.substr(6)), last = std::stoul(range.substr(range.find('-') + 1));
    to.answer(
        other.substr(from, last - from + 1),
        "etag: \"" + fake_s3::etag_of(other) + "\"\r\ncontent-range: " + "bytes " + range.substr(6) + "/500000\r\n",
        "206 Partial Content");
    return true;
  });
  const s3::client client(options_for(server));
  CHECK(code_of([&] { sync_wait(client.get("b", "k")); }) == errc::precondition_failed);
}

TEST_CASE("a file is there as a whole or not at all") {
  fake_s3 server;
  server.set("/b/k", noise(500'000, 6));
  std::atomic<int> gets{0};
  const auto script = server.on([&](peer& to, const seen_request&) {
    if (++gets != 3) return false;
    refuse(to, "403 Forbidden", "AccessDenied");
    return true;
  });
  const s3::client client(options_for(server));
  const scratch folder;
  write_file(folder / "k", "old");
  CHECK(code_of([&] { sync_wait(client.get_to_file("b", "k", folder / "k")); }) == errc::access_denied);
  CHECK(read_file(folder / "k") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK(code_of([&] { sync_wait(client.get_to_file("b", "k", folder / "none/k")); }) == errc::storage);
  CHECK(code_of([&] { sync_wait(client.get_to_file("b", "none", folder / "none")); }) == errc::not_found);
  CHECK(!std::filesystem::exists(folder / "none"));
}

TEST_CASE("an upload that fails leaves no part") {
  fake_s3 server;
  std::atomic<int> parts{0};
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (request.kind() != "PUT ?partNumber" || ++parts != 3) return false;
    refuse(to, "403 Forbidden", "AccessDenied");
    return true;
  });
  s3::client_options options = options_for(server);
  options.signing = s3::payload_signing::never;
  const s3::client client(options);
  const std::string content = noise(22 * mib, 7);
  const scratch folder;
  write_file(folder / "file", content);
  SECTION("memory") {
    CHECK(code_of([&] { sync_wait(client.put("b", "k", content)); }) == errc::access_denied);
  }
  SECTION("a file") {
    CHECK(code_of([&] { sync_wait(client.put("b", "k", corolith::from_file(folder / "file"))); }) ==
          errc::access_denied);
  }
  SECTION("a stream") {
    CHECK(code_of([&] { sync_wait(client.put("b", "k", pieces_of(content, mib))); }) == errc::access_denied);
  }
  CHECK(server.count("POST ?uploads") == 1);
  CHECK(server.count("DELETE ?uploadId") == 1);
  CHECK(server.uploads() == 0);
  CHECK(!server.content("/b/k"));
  CHECK(client.counters().memory_in_use == 0);
}

TEST_CASE("a stream that throws leaves no part") {
  fake_s3 server;
  const s3::client client(options_for(server));
  const auto breaks = [](std::size_t behind) -> object_source::byte_stream {
    for (std::size_t i = 0; i < behind; ++i) co_yield std::vector<std::byte>(mib);
    throw std::range_error("the stream broke");
  };
  CHECK_THROWS_AS(sync_wait(client.put("b", "k", breaks(12))), std::range_error);
  CHECK(server.count("POST ?uploads") == 1);
  CHECK(server.uploads() == 0);
  CHECK_THROWS_AS(sync_wait(client.put("b", "k", breaks(1))), std::range_error);
  CHECK(server.count("PUT") == 0);
}

TEST_CASE("an upload whose end was not heard of is complete") {
  fake_s3 server;
  std::atomic<int> ends{0};
  const bool in_answer = GENERATE(true, false);
  const auto script = server.on([&](peer& to, const seen_request& request) -> bool {
    if (request.kind() != "POST ?uploadId" || ++ends != 1) return false;
    server.complete_quietly(request);
    if (in_answer) {
      to.answer("  \n " + fake_s3::error("InternalError"));
      return true;
    }
    to.drop();
    throw peer_gone("on purpose");
  });
  s3::client_options options = options_for(server);
  options.signing = s3::payload_signing::never;
  const s3::client client(options);
  const std::string content = noise(11 * mib, 8);
  const s3::put_result made = sync_wait(client.put("b", "k", content));
  CHECK(made.etag.ends_with("-3"));
  CHECK(server.content("/b/k") == content);
  CHECK(ends == 2);
}

TEST_CASE("a put only if there is none, whose success was not heard of, is a success") {
  fake_s3 server;
  std::atomic<int> puts{0};
  const auto script = server.on([&](peer& to, const seen_request& request) -> bool {
    if (request.method != "PUT" || ++puts != 1) return false;
    server.set(request.path, request.body);
    to.drop();
    throw peer_gone("on purpose");
  });
  const s3::client client(options_for(server));
  s3::put_options only_new;
  only_new.when.if_none_match = "*";
  CHECK(sync_wait(client.put("b", "k", "hello", only_new)).etag == fake_s3::etag_of("hello"));
  CHECK(code_of([&] { sync_wait(client.put("b", "k", "other", only_new)); }) == errc::precondition_failed);
}

TEST_CASE("a bucket in another region is found") {
  fake_s3 server;
  server.set("/b/k", "hello");
  const std::string way = GENERATE("malformed", "header", "head");
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (request.header("authorization").find("/eu-west-7/s3/") != std::string::npos) return false;
    const std::string header = "x-amz-bucket-region: eu-west-7\r\n";
    if (way == "malformed") {
      refuse(to, "400 Bad Request", "AuthorizationHeaderMalformed", "", "<Region>eu-west-7</Region>");
    } else if (way == "header") {
      refuse(to, "301 Moved Permanently", "PermanentRedirect", header);
    } else if (request.method == "HEAD") {
      to.write("HTTP/1.1 400 Bad Request\r\n" + header + "\r\n");
    } else {
      refuse(to, "400 Bad Request", "AuthorizationHeaderMalformed", header);
    }
    return true;
  });
  const s3::client client(options_for(server));
  if (way == "head") CHECK(sync_wait(client.head("b", "k")).size == 5);
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(sync_wait(client.head("b", "k")).size == 5);
  sync_wait(client.put("b", "other", "hi"));
  CHECK(client.counters().redirects == 1);
  CHECK(server.requests().size() == (way == "head" ? 5 : 4));
}

TEST_CASE("a redirect to another server is followed") {
  fake_s3 there;
  there.set("/b/k", "hello");
  fake_s3 here;
  const auto script = here.on([&](peer& to, const seen_request& request) {
    to.answer("", "location: " + there.url() + request.path + "\r\n", "307 Temporary Redirect");
    return true;
  });
  const s3::client client(options_for(here));
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(here.requests().size() == 1);
}

TEST_CASE("redirects in a circle end") {
  fake_s3 one, two;
  const auto to_other = [](fake_s3& other) {
    return [&other](peer& to, const seen_request& request) {
      to.answer("", "location: " + other.url() + request.path + "\r\n", "307 Temporary Redirect");
      return true;
    };
  };
  const auto script_of_one = one.on(to_other(two));
  const auto script_of_two = two.on(to_other(one));
  const s3::client client(options_for(one));
  CHECK(code_of([&] { sync_wait(client.get("b", "k")); }) == errc::storage);
  CHECK(one.requests().size() + two.requests().size() < 10);
}

TEST_CASE("a wrong clock is set right for signatures") {
  fake_s3 server;
  server.set("/b/k", "hello");
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (request.header("x-amz-date").starts_with("20130524T")) return false;
    refuse(to, "403 Forbidden", "RequestTimeTooSkewed", "date: Fri, 24 May 2013 12:00:00 GMT\r\n");
    return true;
  });
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(server.requests().size() == 3);
  const auto next_script = server.on([&](peer& to, const seen_request&) {
    refuse(to, "403 Forbidden", "RequestTimeTooSkewed", "date: Fri, 24 May 2013 12:00:00 GMT\r\n");
    return true;
  });
  const s3::s3_error failure = thrown_by([&] { sync_wait(client.get("b", "k")); });
  CHECK(failure.code() == errc::access_denied);
  CHECK(std::string(failure.what()).find("clock") != std::string::npos);
}

TEST_CASE("a first byte that is late is asked for again") {
  fake_s3 server;
  server.set("/b/k", "hello");
  std::atomic<int> gets{0};
  std::atomic<bool> over{false};
  const auto script = server.on([&](peer& to, const seen_request&) -> bool {
    if (++gets != 1) return false;
    to.rest();  // until the client gives up
    over = true;
    throw peer_gone("on purpose");
  });
  s3::client_options options = options_for(server);
  options.hedge = true;
  options.hedge_at_least = std::chrono::milliseconds(1);
  const s3::client client(options);
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(client.counters().hedges == 1);
  CHECK(client.counters().retries == 0);
  while (!over) std::this_thread::yield();
}

TEST_CASE("a stop request ends each verb and leaves nothing") {
  fake_s3 server;
  server.set("/b/k", noise(500'000, 9));
  std::atomic<int> stuck{0};
  std::string kind = "GET";
  const auto script = server.on([&](peer& to, const seen_request& request) -> bool {
    if (request.kind() != kind || (kind == "GET" && request.header("range").starts_with("bytes=0-"))) return false;
    ++stuck;
    to.rest();
    throw peer_gone("on purpose");
  });
  s3::client_options options = options_for(server);
  options.signing = s3::payload_signing::never;
  const s3::client client(options);
  const scratch folder;
  const auto is_stuck = [&] { return stuck > 0; };
  const std::string content = noise(12 * mib, 10);

  SECTION("get") { CHECK(stopped(client.get("b", "k"), is_stuck) == errc::cancelled); }
  SECTION("get to a file") {
    CHECK(stopped(client.get_to_file("b", "k", folder / "k"), is_stuck) == errc::cancelled);
    CHECK(is_empty(folder));
  }
  SECTION("stream") { CHECK(stopped(gather(client.stream("b", "k")), is_stuck) == errc::cancelled); }
  SECTION("head") {
    kind = "HEAD";
    CHECK(stopped(client.head("b", "k"), is_stuck) == errc::cancelled);
  }
  SECTION("put") {
    kind = "PUT";
    CHECK(stopped(client.put("b", "new", "hello"), is_stuck) == errc::cancelled);
  }
  SECTION("put in parts") {
    kind = "PUT ?partNumber";
    CHECK(stopped(client.put("b", "new", content), is_stuck) == errc::cancelled);
  }
  SECTION("put of a stream") {
    kind = "PUT ?partNumber";
    CHECK(stopped(client.put("b", "new", pieces_of(content, mib)), is_stuck) == errc::cancelled);
  }
  SECTION("list") {
    kind = "GET ?list-type";
    CHECK(stopped(keys_of(client.list("b", "")), is_stuck) == errc::cancelled);
  }
  CHECK(server.uploads() == 0);
  CHECK(!server.content("/b/new"));
  CHECK(client.counters().memory_in_use == 0);
}

TEST_CASE("a stop request before the beginning begins nothing") {
  fake_s3 server;
  std::stop_source stop;
  stop.request_stop();
  const s3::client client(options_for(server));
  CHECK(code_of([&] { sync_wait(client.get("b", "k"), stop.get_token()); }) == errc::cancelled);
  CHECK(code_of([&] { sync_wait(client.put("b", "k", noise(6 * mib, 1)), stop.get_token()); }) == errc::cancelled);
  CHECK(server.uploads() == 0);
  CHECK(!server.content("/b/k"));
}

TEST_CASE("memory stays within its budget") {
  fake_s3 server;
  const std::string content = noise(40 * 65536, 11);
  server.set("/b/k", content);
  s3::client_options options = options_for(server);
  options.memory_budget = 2 * options.part_size;
  const s3::client client(options);
  const scratch folder;
  sync_wait(client.get_to_file("b", "k", folder / "k"));
  CHECK(read_file(folder / "k") == content);
  CHECK(client.counters().memory_peak == options.memory_budget);
  CHECK(sync_wait(gather(client.stream("b", "k"))) == content);
  CHECK(client.counters().memory_peak == options.memory_budget);
  CHECK(client.counters().memory_in_use == 0);
}

TEST_CASE("streams that nobody reads do not hold up others") {
  fake_s3 server;
  const std::string content = noise(10 * 65536, 12);
  server.set("/b/k", content);
  s3::client_options options = options_for(server);
  options.memory_budget = 2 * options.part_size;
  const s3::client client(options);
  const auto read_in_turn = [](s3::client from) -> task<std::vector<std::string>> {
    std::vector<corolith::generator<std::vector<std::byte>>> streams;
    for (int i = 0; i < 8; ++i) streams.push_back(from.stream("b", "k"));
    std::vector<std::string> all(streams.size());
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i < streams.size(); ++i) {
        if (auto piece = co_await streams[i].next()) {
          all[i] += to_text(*piece);
          more = true;
        }
      }
    }
    co_return all;
  };
  for (const std::string& got : sync_wait(read_in_turn(client))) CHECK(got == content);
}

TEST_CASE("a stream that is dropped in the middle gives up what it asked for") {
  fake_s3 server;
  server.set("/b/k", noise(20 * 65536, 13));
  std::atomic<int> stuck{0};
  const auto script = server.on([&](peer& to, const seen_request& request) -> bool {
    if (request.header("range").starts_with("bytes=0-")) return false;
    ++stuck;
    to.rest();
    throw peer_gone("on purpose");
  });
  const s3::client client(options_for(server));
  const auto read_one = [](s3::client from) -> task<std::size_t> {
    auto pieces = from.stream("b", "k");
    const auto first = co_await pieces.next();
    co_return first->size();
  };
  CHECK(sync_wait(read_one(client)) == 65536);
  server.answer_as_usual();
  CHECK(sync_wait(client.head("b", "k")).size == 20 * 65536);
}

TEST_CASE("a client may go while others still use its copies") {
  fake_s3 server;
  server.set("/b/k", noise(500'000, 14));
  task<std::string> work;
  corolith::generator<std::vector<std::byte>> pieces;
  {
    const s3::client client(options_for(server));
    work = client.get_text("b", "k");
    pieces = client.stream("b", "k");
  }
  CHECK(sync_wait(std::move(work)).size() == 500'000);
  CHECK(sync_wait(gather(std::move(pieces))).size() == 500'000);
}

TEST_CASE("answers that are no answers are errors") {
  fake_s3 server;
  std::atomic<const char*> text{""};  // an attempt that was given up may still read it
  const auto script = server.on([&](peer& to, const seen_request&) -> bool {
    to.write(text.load());
    to.drop();
    throw peer_gone("on purpose");
  });
  s3::client_options options = options_for(server);
  options.retry.attempts = 2;
  const s3::client client(options);
  for (const char* each :
       {"", "garbage\r\n\r\n", "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\ncontent-range: bytes 7-11/12\r\n\r\nhello",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\ncontent-range: bytes 0-3/12\r\n\r\nhello",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 9\r\ncontent-range: bytes 0-8/9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"}) {
    INFO(each);
    text = each;
    CHECK(code_of([&] { sync_wait(client.get("b", "k")); }) != errc{});
  }
  text = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<garbage>";
  CHECK(code_of([&] { sync_wait(client.list_buckets()); }) != errc{});
}
