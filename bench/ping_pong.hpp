// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <vector>

/// The physical limit of a call: 64 bytes there and back over loopback TCP between two processes that block on their sockets.
namespace bench {

struct round_trips {
  double median_us = 0;
  double p99_us = 0;
};

inline round_trips summarise(std::vector<double> microseconds) {
  std::sort(microseconds.begin(), microseconds.end());
  return {microseconds[microseconds.size() / 2], microseconds[microseconds.size() * 99 / 100]};
}

namespace detail {

constexpr std::size_t message_size = 64;

inline void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

inline void read_message(int fd, char* buffer) {
  for (std::size_t got = 0; got < message_size;) {
    const ssize_t n = ::recv(fd, buffer + got, message_size - got, 0);
    if (n <= 0) ::_exit(0);  // only the child sees the end
    got += static_cast<std::size_t>(n);
  }
}

inline void echo(const sockaddr_in& server) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) ::_exit(1);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char buffer[message_size];
  for (;;) {
    read_message(fd, buffer);
    if (::send(fd, buffer, message_size, MSG_NOSIGNAL) != static_cast<ssize_t>(message_size)) ::_exit(0);
  }
}

}  // namespace detail

/// To be called before the program has threads: it forks.
class ping_pong {
 public:
  ping_pong() {
    const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    detail::require(::bind(listening, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0, "bind");
    detail::require(::listen(listening, 1) == 0, "listen");
    detail::require(::getsockname(listening, reinterpret_cast<sockaddr*>(&here), &size) == 0, "getsockname");
    child_ = ::fork();
    if (child_ == 0) detail::echo(here);
    fd_ = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listening);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~ping_pong() {
    ::close(fd_);
    ::waitpid(child_, nullptr, 0);
  }
  ping_pong(const ping_pong&) = delete;
  ping_pong& operator=(const ping_pong&) = delete;

  std::vector<double> measure(std::size_t rounds) const {
    std::vector<double> times;
    times.reserve(rounds);
    char buffer[detail::message_size] = {};
    for (std::size_t i = 0; i < rounds; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      detail::require(::send(fd_, buffer, sizeof buffer, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof buffer), "send");
      detail::read_message(fd_, buffer);
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    return times;
  }

 private:
  int fd_ = -1;
  pid_t child_ = 0;
};

}  // namespace bench
