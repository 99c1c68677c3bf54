// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scripted_server.hpp"

#include <corolith/coro/run_on.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/connection_pool.hpp>
#include <corolith/uring/io_thread.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

namespace s3_test {

/// A pool on a loop with a thread of its own.
struct pool_on_thread {
  explicit pool_on_thread(corolith::s3::transport_options options = {}) : pool(io.loop(), std::move(options)) {}

  corolith::uring::io_thread io;
  corolith::s3::detail::connection_pool pool;

  template <class T>
  T run(corolith::task<T> work, std::stop_token stop = {}) {
    return corolith::sync_wait(corolith::run_on(io.loop(), std::move(work)), std::move(stop));
  }
};

inline corolith::s3::detail::origin plain(const scripted_server& server, std::string host = "127.0.0.1") {
  return {false, std::move(host), server.port()};
}
inline corolith::s3::detail::origin secure(const scripted_server& server, std::string host = "localhost") {
  return {true, std::move(host), server.port()};
}

inline corolith::s3::detail::http_request request(std::string method, std::string target = "/") {
  corolith::s3::detail::http_request made;
  made.method = std::move(method);
  made.target = std::move(target);
  made.headers.add("host", "here");
  return made;
}
inline corolith::s3::detail::http_request upload(std::size_t size, bool waits = false) {
  corolith::s3::detail::http_request made = request("PUT");
  made.headers.add("content-length", std::to_string(size));
  if (waits) made.headers.add("expect", "100-continue");
  return made;
}

struct answer {
  corolith::s3::detail::http_response head;
  std::string body;
  bool reused = false;
};

/// One exchange from its beginning to its end.
inline corolith::task<answer> ask(corolith::s3::detail::connection_pool* pool, corolith::s3::detail::origin to,
                                  corolith::s3::detail::http_request head, std::string body = {}) {
  corolith::s3::detail::exchange with = co_await pool->open(std::move(to));
  answer got;
  got.reused = with.reused();
  co_await with.send(std::move(head), std::as_bytes(std::span(body)));
  got.head = co_await with.receive_head();
  got.body = co_await with.receive_text(64 << 20);
  co_return got;
}

/// Text that tells where it belongs.
inline std::string pattern(std::size_t size, std::uint32_t seed = 1) {
  std::string made(size, '\0');
  for (char& each : made) {
    seed = seed * 1664525U + 1013904223U;
    each = static_cast<char>(seed >> 24);
  }
  return made;
}

}  // namespace s3_test
