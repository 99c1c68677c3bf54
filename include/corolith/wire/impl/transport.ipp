// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/transport.hpp>

#include <array>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace corolith::inline v0::wire {

namespace detail {

inline constexpr int local_send_buffer = 1024 * 1024;  // the system cuts it to what it allows

inline transport::outcome system_failure(int code, const char* doing) {
  // A peer that vanished is the same event whichever call notices it first.
  if (code == ECONNRESET || code == EPIPE || code == ENOTCONN)
    return {transport::status::failed, 0,
            std::make_exception_ptr(error(errc::peer_closed, "the peer closed the connection"))};
  return {transport::status::failed, 0,
          std::make_exception_ptr(std::system_error(code, std::generic_category(), doing))};
}

inline transport::outcome received(ssize_t got) {
  if (got > 0) return {transport::status::done, static_cast<std::size_t>(got), nullptr};
  if (got == 0) return {transport::status::end, 0, nullptr};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {transport::status::would_block, 0, nullptr};
  return system_failure(errno, "receiving from a peer");
}

inline transport::outcome receive_some(int fd, mutable_byte_span into) {
  ssize_t got;
  do got = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return received(got);
}

// One gathered send of up to 64 parts; `flags` is MSG_DONTWAIT or 0.
inline transport::outcome send_some(int fd, std::span<const byte_span> parts, int flags,
                                    std::span<const int> descriptors = {}) {
  for (;;) {
    const ssize_t sent = send_with_descriptors(fd, parts, flags, descriptors);
    if (sent >= 0) return {transport::status::done, static_cast<std::size_t>(sent), nullptr};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {transport::status::would_block, 0, nullptr};
    // Too many descriptors are on their way to peers that have not taken them yet.
    if (errno == ETOOMANYREFS) return {transport::status::would_block, 0, nullptr};
    return system_failure(errno, "sending to a peer");
  }
}

template <class Socket>
std::string describe_socket(const Socket& socket) {
  std::error_code ignored;
  if constexpr (std::is_same_v<typename Socket::protocol_type, asio::ip::tcp>) {
    auto peer = socket.remote_endpoint(ignored);
    if (ignored) return "tcp";
    std::string host = peer.address().to_string();
    return "tcp " + (peer.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(peer.port());
  } else {
    return "unix";
  }
}

template <class Socket>
class socket_transport final : public transport {
  static constexpr bool is_local = std::is_same_v<typename Socket::protocol_type, asio::local::stream_protocol>;

 public:
  explicit socket_transport(Socket socket) : socket_(std::move(socket)), description_(describe_socket(socket_)) {
    std::error_code ignored;
    socket_.non_blocking(true, ignored);
    // Asio does not: in a program that this process starts, the connection would outlive its end here.
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    if constexpr (std::is_same_v<typename Socket::protocol_type, asio::ip::tcp>)
      socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    else  // a unix socket's does not grow by itself: twice the default halves the switches between the two ends
      socket_.set_option(typename Socket::send_buffer_size(local_send_buffer), ignored);
  }

  asio::any_io_executor get_executor() override { return socket_.get_executor(); }
  outcome read_some(mutable_byte_span into) override { return receive_some(socket_.native_handle(), into); }
  outcome write_some(std::span<const byte_span> parts) override {
    return send_some(socket_.native_handle(), parts, MSG_DONTWAIT);
  }
  bool passes_descriptors() const noexcept override { return is_local; }
  outcome read_with(mutable_byte_span into, std::deque<unique_fd>& descriptors) override {
    if constexpr (!is_local) return read_some(into);
    ssize_t got;
    do got = receive_with_descriptors(socket_.native_handle(), into, MSG_DONTWAIT, descriptors);
    while (got < 0 && errno == EINTR);
    return received(got);
  }
  outcome write_with(std::span<const byte_span> parts, std::span<const int> descriptors) override {
    return send_some(socket_.native_handle(), parts, MSG_DONTWAIT, descriptors);
  }
  void async_wait_readable(std::shared_ptr<transport_waiter> waiter) override {
    socket_.async_wait(Socket::wait_read,
                       [waiter = std::move(waiter)](std::error_code error) { waiter->on_readable(error); });
  }
  void async_wait_writable(std::shared_ptr<transport_waiter> waiter) override {
    socket_.async_wait(Socket::wait_write,
                       [waiter = std::move(waiter)](std::error_code error) { waiter->on_writable(error); });
  }
  void shutdown_write() override {
    std::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void close() noexcept override {
    std::error_code ignored;
    socket_.close(ignored);
  }
  std::string describe() const override { return description_; }

 private:
  Socket socket_;
  std::string description_;
};

}  // namespace detail

COROLITH_DECL std::unique_ptr<transport> make_transport(adopt_socket_t, asio::local::stream_protocol::socket socket) {
  return std::make_unique<detail::socket_transport<asio::local::stream_protocol::socket>>(std::move(socket));
}

COROLITH_DECL std::unique_ptr<transport> make_transport(adopt_socket_t, asio::ip::tcp::socket socket) {
  return std::make_unique<detail::socket_transport<asio::ip::tcp::socket>>(std::move(socket));
}

}  // namespace corolith::inline v0::wire
