// SPDX-License-Identifier: Apache-2.0
#include "scripted_server.hpp"

#include <corolith/coro/run_on.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/connection_pool.hpp>
#include <corolith/uring/io_thread.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <string>
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

struct fixture {
  explicit fixture(s3::transport_options options = {}) : pool(io.loop(), options) {}
  cl::uring::io_thread io;
  connection_pool pool;

  template <class T>
  T run(cl::task<T> work) {
    return cl::sync_wait(cl::run_on(io.loop(), std::move(work)));
  }
};

origin at(const scripted_server& server) { return {false, "127.0.0.1", server.port()}; }

http_request get(std::string target = "/") {
  http_request made;
  made.method = "GET";
  made.target = std::move(target);
  made.headers.add("host", "here");
  return made;
}

struct answer {
  http_response head;
  std::string body;
  bool reused = false;
};

cl::task<answer> ask(connection_pool* pool, origin to, http_request request, std::string body = {}) {
  exchange with = co_await pool->open(to);
  answer got;
  got.reused = with.reused();
  co_await with.send(std::move(request), std::as_bytes(std::span(body)));
  got.head = co_await with.receive_head();
  got.body = co_await with.receive_text(1 << 20);
  co_return got;
}

}  // namespace

TEST_CASE("a request is sent and its answer received", "[s3]") {
  std::string seen;
  scripted_server server([&](peer& client, int) {
    seen = client.head();
    client.answer("hello", "etag: \"x\"\r\n");
    client.rest();
  });
  fixture here;
  const answer got = here.run(ask(&here.pool, at(server), get("/bucket/key?x=1")));
  CHECK(got.head.status == 200);
  CHECK(got.head.headers.value("ETag") == "\"x\"");
  CHECK(got.head.content_length == 5U);
  CHECK(got.body == "hello");
  CHECK_FALSE(got.reused);
  CHECK(seen == "GET /bucket/key?x=1 HTTP/1.1\r\nhost: here\r\n\r\n");
}
