// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../ping_pong.hpp"
#include "noop.hpp"

#include <corolith/corolith.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

/// A large argument that comes back as the result, beside the same bytes through a TCP connection over loopback.
namespace bench::dispatch {

using bytes = std::vector<std::byte>;

inline bytes echo(bytes value) { return value; }

/// A process that takes all the bytes, and then sends them back. To be made before the program has threads: it forks.
class bulk_echo {
 public:
  explicit bulk_echo(std::size_t size) : buffer_(size) {
    const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here;
    bench::detail::require(::bind(listening, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0, "bind");
    bench::detail::require(::listen(listening, 1) == 0, "listen");
    bench::detail::require(::getsockname(listening, reinterpret_cast<sockaddr*>(&here), &length) == 0, "getsockname");
    child_ = ::fork();
    if (child_ == 0) {
      fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (::connect(fd_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0) ::_exit(1);
      while (receive() && send()) {
      }
      ::_exit(0);
    }
    fd_ = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listening);
  }
  ~bulk_echo() {
    ::close(fd_);
    ::waitpid(child_, nullptr, 0);
  }
  bulk_echo(const bulk_echo&) = delete;
  bulk_echo& operator=(const bulk_echo&) = delete;

  /// In units of 10^6 bytes per second, both ways counted.
  double mb_per_s() {
    const auto begin = std::chrono::steady_clock::now();
    if (!send() || !receive()) throw std::runtime_error("the other end of a TCP connection ended");
    return 2 * static_cast<double>(buffer_.size()) / seconds_since(begin) / 1e6;
  }

 private:
  bool send() {
    for (std::size_t sent = 0; sent < buffer_.size();) {
      const ssize_t n = ::send(fd_, buffer_.data() + sent, buffer_.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }
  bool receive() {
    for (std::size_t got = 0; got < buffer_.size();) {
      const ssize_t n = ::recv(fd_, buffer_.data() + got, buffer_.size() - got, 0);
      if (n <= 0) return false;
      got += static_cast<std::size_t>(n);
    }
    return true;
  }

  bytes buffer_;
  pid_t child_ = 0;
  int fd_ = -1;
};

/// The same of a call. Like the TCP connection, it uses memory that was used for the same before.
inline double echo_mb_per_s(corolith::executor& ex, const bytes& argument) {
  if (ex.call<echo>(argument).get().size() != argument.size()) throw std::runtime_error("a large argument lost bytes");
  const auto begin = std::chrono::steady_clock::now();
  const bytes back = ex.call<echo>(argument).get();
  const double seconds = seconds_since(begin);
  if (back != argument) throw std::runtime_error("a large argument came back as another");
  return 2 * static_cast<double>(argument.size()) / seconds / 1e6;
}

}  // namespace bench::dispatch
