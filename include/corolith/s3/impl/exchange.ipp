// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/connection.hpp>
#include <corolith/s3/detail/exchange.hpp>
#include <corolith/uring/network.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

namespace corolith::inline v0::s3::detail {

namespace moving {

/// What a socket surely takes at once when nothing else is on its way.
inline constexpr std::size_t surely_taken = 8 * 1024;
/// How often a request that cannot be sent on is looked at: has the server answered instead of reading?
inline constexpr std::chrono::nanoseconds look_after = std::chrono::milliseconds(100);
/// What is encrypted before it is sent.
inline constexpr std::size_t encrypted_at_once = 256 * 1024;
/// A smaller place is not received into by itself: what comes behind is taken with it.
inline constexpr std::size_t worth_a_call = 4 * 1024;
/// What is received in one operation, where the kernel can wait for so much. In between it shows how far it is.
inline constexpr std::size_t received_at_once = 1024 * 1024;
/// A longer rest is not worth to be read for the sake of the connection.
inline constexpr std::size_t short_rest = 256 * 1024;

inline std::span<::iovec> without_front(std::span<::iovec> parts, std::size_t moved) noexcept {
  while (!parts.empty() && moved >= parts.front().iov_len) {
    moved -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (moved > 0) {
    parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + moved;
    parts.front().iov_len -= moved;
  }
  return parts;
}

inline std::size_t size_of(std::span<const ::iovec> parts) noexcept {
  std::size_t size = 0;
  for (const ::iovec& part : parts) size += part.iov_len;
  return size;
}
inline constexpr std::span<::iovec> nothing;
inline ::iovec part_of(byte_span bytes) noexcept { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

/// What is left to be sent after so many bytes; with TLS `parts` is one, of what is encrypted.
inline std::span<::iovec> sent_of(connection* on, std::span<::iovec> parts, std::size_t sent) noexcept {
  if (!on->tls) return without_front(parts, sent);
  on->tls->sent(sent);
  parts[0] = part_of(on->tls->outgoing());
  return parts;
}

/// Sends what a socket surely takes without a turn of the loop. What is left then, if it did not after all.
inline std::span<::iovec> push_at_once(connection* on, std::span<::iovec> parts) noexcept {
  ::msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t sent = ::sendmsg(on->socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? sent_of(on, parts, static_cast<std::size_t>(sent)) : parts;
}

/// Sends all parts, or with TLS what is encrypted, or until the server answers or closes.
inline task<void> push(connection* on, std::span<::iovec> parts) {
  std::array<::iovec, 1> encrypted{};
  if (on->tls) parts = encrypted;
  const std::chrono::nanoseconds longest = on->pool->options.idle_timeout;
  std::chrono::nanoseconds quiet{0};
  for (bool first = true; !on->answered; first = false) {
    if (on->tls) encrypted[0] = part_of(on->tls->outgoing());  // it may have moved
    if (first && size_of(parts) <= surely_taken) parts = push_at_once(on, parts);
    if (size_of(parts) == 0 || (!first && on->has_answered())) co_return;
    const uring::op_options limit{size_of(parts) <= surely_taken ? longest : std::min(longest, look_after)};
    const auto [failure, sent] = co_await uring::send(on->loop, on->socket.get(), parts, limit).nothrow();
    if (!failure) {
      quiet = {};
      parts = sent_of(on, parts, sent);
    } else if (failure == std::errc::timed_out) {
      quiet += limit.timeout;
      if (quiet >= longest && !on->has_answered()) on->fail(failure, "while the request was being sent");
    } else if (failure == std::errc::operation_canceled) {
      on->fail(failure, "while the request was being sent");
    } else {  // closed: there may be an answer that says why
      on->answered = true;
      on->send_failure = failure;
    }
  }
}

inline task<void> push_body(connection* on, byte_span body) {
  if (!on->tls) {
    std::array<::iovec, 1> part{part_of(body)};
    co_await push(on, part);
    co_return;
  }
  while (!body.empty() && !on->has_answered()) {
    const std::size_t now = std::min(body.size(), encrypted_at_once);
    on->tls->encrypt(body.first(now));
    body = body.subspan(now);
    co_await push(on, nothing);
  }
}

inline task<void> send(connection* on, http_request request, byte_span body) {
  on->begin(request);
  if (!on->tls) {
    std::array<::iovec, 2> parts{part_of(on->head.span()), part_of(body)};
    co_await push(on, parts);
    co_return;
  }
  const std::size_t now = std::min(body.size(), encrypted_at_once);
  on->tls->encrypt(on->head.span());
  if (now > 0) on->tls->encrypt(body.first(now));
  co_await push(on, nothing);
  if (now < body.size()) co_await push_body(on, body.subspan(now));
}

using outcome = std::pair<std::error_code, std::size_t>;

/// At least one decrypted byte; zero at the end.
inline task<outcome> receive_encrypted(connection* on, mutable_byte_span into, uring::op_options limit) {
  tls_stream& tls = *on->tls;
  for (;;) {
    const std::size_t got = tls.decrypt(into);
    if (got > 0 || tls.at_end()) co_return outcome(std::error_code(), got);
    if (!tls.outgoing().empty()) co_await push(on, nothing);
    const auto [failure, came] = co_await uring::recv(on->loop, on->socket.get(), tls.room(), limit).nothrow();
    if (failure) co_return outcome(failure, 0);
    if (came == 0) {
      tls.ended();
    } else {
      tls.received(came);
    }
  }
}

/// The failure of a receive, after which an earlier one of a send is what tells more.
[[noreturn]] inline void fail_to_receive(connection& on, std::error_code failure) {
  if (on.send_failure && failure != std::errc::operation_canceled) failure = on.send_failure;
  on.fail(failure, "while it was to answer");
}

/// Receives into the reader. False: nothing came within the limit.
inline task<bool> fill(connection* on, uring::op_options limit) {
  const mutable_byte_span room = on->room();
  outcome came;
  if (on->tls) {
    came = co_await receive_encrypted(on, room, limit);
  } else {
    came = co_await uring::recv(on->loop, on->socket.get(), room, limit).nothrow();
  }
  if (came.first == std::errc::timed_out) co_return false;
  if (came.first) fail_to_receive(*on, came.first);
  if (came.second == 0) {
    on->end();
  } else {
    on->reader.received(came.second);
  }
  co_return true;
}

inline uring::op_options usual_limit(const connection& on) { return {on.pool->options.idle_timeout}; }

inline task<void> fill_or_fail(connection* on) {
  const uring::op_options limit = usual_limit(*on);
  const bool filled = co_await fill(on, limit);
  if (!filled) fail_to_receive(*on, std::make_error_code(std::errc::timed_out));
}

/// Whether a head that was taken is one of those that others follow.
inline bool is_preliminary(const http_response& head) noexcept { return head.status / 100 == 1 && head.status != 101; }

inline task<http_response> receive_head(connection* on) {
  if (on->final_head) co_return *std::exchange(on->final_head, std::nullopt);
  http_response head;
  for (;;) {
    if (!on->take_head(head)) {
      co_await fill_or_fail(on);
    } else if (is_preliminary(head)) {
      head = {};
    } else {
      co_return head;
    }
  }
}

inline task<bool> wait_for_continue(connection* on, std::chrono::nanoseconds most) {
  const auto until = corolith::detail::deadline_after(most);
  http_response head;
  while (!on->answered) {
    if (on->take_head(head)) {
      if (head.status == 100) co_return true;
      if (is_preliminary(head)) continue;
      on->final_head = std::move(head);
      on->answered = on->expects;  // without a body that it did not want, it has the whole request
      co_return false;
    }
    const uring::op_options limit{std::max(until - corolith::loop::clock::now(), std::chrono::nanoseconds(0))};
    const bool filled = co_await fill(on, limit);
    if (!filled) co_return true;
  }
  co_return false;
}

/// When a receive is over, but for the end of the body: with some bytes, with as many as one operation gives, with all.
enum class enough : std::uint8_t { some, many, all };

inline task<std::size_t> receive_body(connection* on, mutable_byte_span into, enough when) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const mutable_byte_span rest = into.subspan(filled);
    filled += on->take_body(rest);
    if (on->reader.complete() || filled == into.size() || (when != enough::all && filled > 0)) break;
    const std::uint64_t most = on->reader.may_bypass();
    const std::uint64_t straight = std::min<std::uint64_t>(most, into.size() - filled);
    if (straight == 0 || (straight < worth_a_call && straight < most)) {
      co_await fill_or_fail(on);
      continue;
    }
    const std::size_t at_once = std::min(static_cast<std::size_t>(straight), received_at_once);
    const mutable_byte_span place = into.subspan(filled, at_once);
    const uring::op_options limit = usual_limit(*on);
    outcome came;
    if (on->tls) {
      came = co_await receive_encrypted(on, place, limit);
    } else if (when == enough::some) {
      came = co_await uring::recv(on->loop, on->socket.get(), place, limit).nothrow();
    } else {
      came = co_await uring::recv_many(on->loop, on->socket.get(), place, limit).nothrow();
    }
    if (came.first) fail_to_receive(*on, came.first);
    if (came.second == 0) on->end();
    on->reader.bypassed(came.second);
    on->check_end();
    filled += came.second;
  }
  co_return filled;
}

inline task<std::string> receive_text(connection* on, std::size_t most) {
  std::string text;
  std::size_t filled = 0;
  for (;;) {
    if (filled == text.size()) text.resize(std::min(most + 1, std::max<std::size_t>(2 * filled, 4096)));
    const auto rest = std::as_writable_bytes(std::span(text)).subspan(filled);
    const std::size_t got = co_await receive_body(on, rest, enough::all);
    filled += got;
    if (filled > most) on->fail(errc::protocol, "the answer is longer than " + std::to_string(most) + " bytes");
    if (on->reader.complete()) break;
  }
  text.resize(filled);
  co_return text;
}

inline task<void> discard(connection* on) {
  std::array<std::byte, 4096> sink;
  try {
    std::size_t read = 0;
    while (!on->reader.complete() && read < short_rest && on->reader.least_left() <= short_rest) {
      const std::size_t got = co_await receive_body(on, sink, enough::some);
      read += got;
    }
  } catch (const transport_error&) {  // closed, then
  }
}

}  // namespace moving

COROLITH_DECL exchange::exchange(std::unique_ptr<connection> on, semaphore::permit turn) noexcept
    : on_(std::move(on)), turn_(std::move(turn)) {}
COROLITH_DECL exchange::exchange() noexcept = default;
COROLITH_DECL exchange::exchange(exchange&& other) noexcept = default;
COROLITH_DECL exchange& exchange::operator=(exchange&& other) noexcept {
  std::swap(on_, other.on_);
  std::swap(turn_, other.turn_);
  return *this;
}
COROLITH_DECL exchange::~exchange() {
  if (!on_) return;
  const std::shared_ptr<pool_state> pool = on_->pool;  // the permit is the pool's
  pool->give_back(std::move(on_));
  turn_.release();
}

COROLITH_DECL task<void> exchange::send(http_request head, byte_span body) {
  return moving::send(on_.get(), std::move(head), body);
}
COROLITH_DECL task<void> exchange::send_more(byte_span body) { return moving::push_body(on_.get(), body); }
COROLITH_DECL bool exchange::answered() const noexcept { return on_->answered; }
COROLITH_DECL task<bool> exchange::wait_for_continue(std::chrono::nanoseconds most) {
  return moving::wait_for_continue(on_.get(), most);
}
COROLITH_DECL task<http_response> exchange::receive_head() { return moving::receive_head(on_.get()); }
COROLITH_DECL task<std::size_t> exchange::receive(mutable_byte_span into) {
  return moving::receive_body(on_.get(), into, moving::enough::some);
}
COROLITH_DECL task<std::size_t> exchange::receive_many(mutable_byte_span into) {
  return moving::receive_body(on_.get(), into, moving::enough::many);
}
COROLITH_DECL task<std::size_t> exchange::receive_all(mutable_byte_span into) {
  return moving::receive_body(on_.get(), into, moving::enough::all);
}
COROLITH_DECL task<std::string> exchange::receive_text(std::size_t most) {
  return moving::receive_text(on_.get(), most);
}
COROLITH_DECL task<void> exchange::discard() { return moving::discard(on_.get()); }

COROLITH_DECL bool exchange::complete() const noexcept { return on_->reader.complete(); }
COROLITH_DECL bool exchange::reused() const noexcept { return on_->used_before; }
COROLITH_DECL std::optional<int> exchange::plain_socket() const noexcept {
  if (on_->tls) return std::nullopt;
  return on_->socket.get();
}

}  // namespace corolith::inline v0::s3::detail
