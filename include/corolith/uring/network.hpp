// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/uring/detail/operation.hpp>
#include <corolith/uring/detail/transfer.hpp>
#include <corolith/uring/io_loop.hpp>
#include <corolith/uring/op_options.hpp>
#include <corolith/uring/socket_address.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

// Operations on sockets. All are awaited: `co_await recv(io, fd, buffer)`; see io_operation for what they share. The socket
// may block or not.
namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

struct connecting {
  using value = void;
  static constexpr const char* name = "connect";
  int fd = -1;
  socket_address to;

  void fill(request& into) noexcept {
    into.kind = op_kind::connect;
    into.fd = fd;
    into.data = to.data();
    into.length = to.size();
  }
  bool advance(request&, std::int32_t) const noexcept { return false; }
  void take(std::int32_t) const noexcept {}
  void dispose(std::int32_t) const noexcept {}
};

struct accepting {
  using value = unique_fd;
  static constexpr const char* name = "accept";
  int fd = -1;

  void fill(request& into) const noexcept {
    into.kind = op_kind::accept;
    into.fd = fd;
    into.flags = SOCK_CLOEXEC;
  }
  bool advance(request&, std::int32_t) const noexcept { return false; }
  unique_fd take(std::int32_t made) const noexcept { return unique_fd(made); }
  void dispose(std::int32_t made) const noexcept { unique_fd closed(made); }
};

struct waiting_for {
  using value = void;
  static constexpr const char* name = "poll";
  int fd = -1;
  short events = 0;

  void fill(request& into) const noexcept {
    into.kind = op_kind::poll;
    into.fd = fd;
    into.flags = static_cast<std::uint32_t>(events);
  }
  bool advance(request&, std::int32_t) const noexcept { return false; }
  void take(std::int32_t) const noexcept {}
  void dispose(std::int32_t) const noexcept {}
};

}  // namespace detail

/// Receives what there is, at least one byte, up to the size of `into`. Gives how many bytes; zero at the end of the
/// stream, and at once when `into` is empty.
inline io_operation<detail::transfer<detail::op_kind::recv, false>> recv(io_loop& on, int fd, std::span<std::byte> into,
                                                                         op_options options = {}) {
  return {on, {fd, into.data(), into.size()}, options};
}
/// Receives until `into` is full or the stream ends. Gives how many bytes: fewer only at the end.
inline io_operation<detail::transfer<detail::op_kind::recv, true>> recv_all(io_loop& on, int fd,
                                                                            std::span<std::byte> into,
                                                                            op_options options = {}) {
  return {on, {fd, into.data(), into.size()}, options};
}

/// As recv, but where the kernel can wait for all of `into` by itself, it does: one turn of the loop for what comes in many
/// packets. Fewer bytes come at the end of the stream, when the time is over after some have come, and by poll.
inline io_operation<detail::transfer<detail::op_kind::recv, false>> recv_many(io_loop& on, int fd,
                                                                              std::span<std::byte> into,
                                                                              op_options options = {}) {
  return {on, {fd, into.data(), into.size(), 0, MSG_WAITALL}, options};
}

/// Sends at least one byte of `from`. Gives how many.
inline io_operation<detail::transfer<detail::op_kind::send, false>> send(io_loop& on, int fd,
                                                                         std::span<const std::byte> from,
                                                                         op_options options = {}) {
  return {on, {fd, const_cast<std::byte*>(from.data()), from.size(), 0, MSG_NOSIGNAL}, options};
}
/// Sends all of `from`. Gives its size.
inline io_operation<detail::transfer<detail::op_kind::send, true>> send_all(io_loop& on, int fd,
                                                                            std::span<const std::byte> from,
                                                                            op_options options = {}) {
  return {on, {fd, const_cast<std::byte*>(from.data()), from.size(), 0, MSG_NOSIGNAL}, options};
}
/// Sends at least one byte of several buffers, one after the other. Gives how many.
inline io_operation<detail::gather<detail::op_kind::sendmsg, false>> send(io_loop& on, int fd,
                                                                          std::span<::iovec> buffers,
                                                                          op_options options = {}) {
  return {on, {fd, buffers}, options};
}
/// Sends all of several buffers, one after the other. Gives their size together. The array is used up meanwhile.
inline io_operation<detail::gather<detail::op_kind::sendmsg, true>> send_all(io_loop& on, int fd,
                                                                             std::span<::iovec> buffers,
                                                                             op_options options = {}) {
  return {on, {fd, buffers}, options};
}

/// Connects a socket. After a failure, a timeout or a stop request the socket is good for nothing but to be closed.
inline io_operation<detail::connecting> connect(io_loop& on, int fd, const socket_address& to,
                                                op_options options = {}) {
  return {on, {fd, to}, options};
}
/// Waits for the next connection of a listening socket. Gives its socket, closed on exec.
inline io_operation<detail::accepting> accept(io_loop& on, int fd, op_options options = {}) {
  return {on, {fd}, options};
}

/// Waits until a descriptor has something to read, an error or its end, without reading it.
inline io_operation<detail::waiting_for> wait_readable(io_loop& on, int fd, op_options options = {}) {
  return {on, {fd, POLLIN}, options};
}
/// Waits until a descriptor takes more, or has an error.
inline io_operation<detail::waiting_for> wait_writable(io_loop& on, int fd, op_options options = {}) {
  return {on, {fd, POLLOUT}, options};
}

}  // namespace uring
}  // namespace v0
}  // namespace corolith
