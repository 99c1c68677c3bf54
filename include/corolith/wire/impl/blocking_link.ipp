// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/blocking_link.hpp>
#include <corolith/wire/detail/descriptors.hpp>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace corolith::inline v0::wire {

namespace detail {

inline void wait_for(int fd, short what) {
  pollfd entry{fd, what, 0};
  while (::poll(&entry, 1, -1) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waiting for a peer");
}

[[noreturn]] inline void link_failed(int code, const char* doing) {
  if (code == 0 || code == ECONNRESET || code == EPIPE || code == ENOTCONN)
    throw error(errc::peer_closed, "the peer closed the connection");
  throw std::system_error(code, std::generic_category(), doing);
}

}  // namespace detail

COROLITH_DECL bool blocking_link::receive(frame_reader& into, int timeout_ms) {
  mutable_byte_span room = into.prepare();
  for (;;) {
    // What is there already is had with one call.
    const ssize_t got =
        detail::receive_with_descriptors(fd_, room, timeout_ms < 0 ? 0 : MSG_DONTWAIT, into.descriptors());
    if (got > 0) {
      into.commit(static_cast<std::size_t>(got));
      return true;
    }
    if (got == 0) detail::link_failed(0, "");
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) detail::link_failed(errno, "receiving from a peer");
    pollfd entry{fd_, POLLIN, 0};
    int ready = ::poll(&entry, 1, timeout_ms);
    if (ready == 0) return false;
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "waiting for a peer");
  }
}

COROLITH_DECL void blocking_link::append(message_type type, byte_span head, shared_bytes tail) {
  std::lock_guard lock(queue_mutex_);
  queue_.append(type, head, std::move(tail));
}

COROLITH_DECL std::size_t blocking_link::queued_bytes() const {
  std::lock_guard lock(queue_mutex_);
  return queue_.queued_bytes();
}

COROLITH_DECL void blocking_link::flush() {
  std::lock_guard writing(write_mutex_);
  write_all();
}

COROLITH_DECL bool blocking_link::try_flush() {
  std::unique_lock writing(write_mutex_, std::try_to_lock);
  if (!writing) return false;
  write_all();
  return true;
}

// Takes the queue as it is, so that others may append to the next one while this one is written.
COROLITH_DECL void blocking_link::write_all() {
  for (;;) {
    if (under_way_.empty()) {
      std::lock_guard lock(queue_mutex_);
      if (queue_.empty()) return;
      std::swap(queue_, under_way_);
    }
    while (!under_way_.empty()) {
      std::array<byte_span, detail::max_gather> parts;
      std::size_t count = under_way_.gather(parts);
      const ssize_t sent =
          detail::send_with_descriptors(fd_, std::span(parts).first(count), 0, under_way_.descriptors());
      if (sent >= 0)
        under_way_.consume(static_cast<std::size_t>(sent));
      else if (errno == EAGAIN || errno == EWOULDBLOCK)
        detail::wait_for(fd_, POLLOUT);
      else if (errno == ETOOMANYREFS)  // too many descriptors are on their way
        ::poll(nullptr, 0, 1);
      else if (errno != EINTR)
        detail::link_failed(errno, "sending to a peer");
    }
  }
}

}  // namespace corolith::inline v0::wire
