// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/connection.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace corolith::inline v0::s3::detail {

inline connection::connection(std::shared_ptr<pool_state> of, uring::io_loop& on, origin where)
    : pool(std::move(of)), loop(on), to(std::move(where)) {
  ++pool->open;
}

inline connection::~connection() { --pool->open; }

inline void connection::begin(const http_request& request) {
  head.clear();
  append_head(head, request);
  reader.expect(request.method == "HEAD");
  expects = request.headers.contains("expect");
  answered = broken = false;
  send_failure = {};
  final_head.reset();
}

inline bool connection::has_answered() {
  if (answered) return true;
  if (tls) {
    const mutable_byte_span into = tls->room();
    const auto got = into.empty() ? -1 : ::recv(socket.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) tls->received(static_cast<std::size_t>(got));
    if (got == 0) tls->ended();
    answered = tls->waiting() || tls->at_end();
  } else {
    char byte = 0;
    answered = ::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }
  return answered;
}

inline bool connection::take_head(http_response& into) {
  try {
    return reader.take_head(into);
  } catch (const transport_error& problem) {
    fail(problem.code(), problem.what());
  }
}

inline std::size_t connection::take_body(mutable_byte_span into) {
  try {
    return reader.take_body(into);
  } catch (const transport_error& problem) {
    fail(problem.code(), problem.what());
  }
}

inline mutable_byte_span connection::room() {
  try {
    return reader.room();
  } catch (const transport_error& problem) {
    fail(problem.code(), problem.what());
  }
}

// Where the end of a body is the end of the connection, anybody on the way could cut it short: TLS has a word for it.
inline void connection::end() {
  if (tls && !tls->said_so() && reader.ends_with_connection())
    fail(errc::unreachable, "the connection ended and the server did not say so: its answer may be cut off");
  reader.ended();
}

// The reader sees for itself what is behind a short body, as it comes with it. After a long one a look costs little.
inline void connection::check_end() {
  constexpr std::uint64_t is_long = 64 * 1024;
  if (!reader.complete() || reader.body_taken() < is_long) return;
  char byte = 0;
  const bool more = tls ? tls->waiting() : ::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  if (more) fail(errc::protocol, "the server's answer is no proper HTTP: it is longer than it says");
}

inline void connection::fail(errc code, const std::string& what) {
  broken = true;
  const bool closed = code == errc::unreachable && used_before && !reader.began();
  throw transport_error(code, to.to_string() + ": " + what, closed);
}

inline void connection::fail(std::error_code failure, const char* while_doing) {
  broken = true;
  if (failure == std::errc::operation_canceled)
    throw cancelled("cancelled: " + to.to_string() + ": its task or its loop was asked to stop " + while_doing);
  const std::string what = failure == std::errc::timed_out ? "nothing moved for too long" : failure.message();
  const bool closed =
      (failure == std::errc::connection_reset || failure == std::errc::broken_pipe) && used_before && !reader.began();
  throw transport_error(errc::unreachable, to.to_string() + ": " + what + " " + while_doing, closed);
}

inline bool connection::reusable() {
  return reader.reusable() && !answered && !broken && !(tls && (tls->at_end() || tls->waiting()));
}

}  // namespace corolith::inline v0::s3::detail
