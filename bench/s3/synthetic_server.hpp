// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../object_memory.hpp"

#include <corolith/core/unique_fd.hpp>
#include <corolith/uring/network.hpp>
#include <corolith/uring/socket_address.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

/// A server of one object that is larger than any memory: every GET is answered with the range that it asks for. A process of its own, so
/// that nothing of it counts as the client's.
namespace bench::s3 {

inline constexpr std::string_view synthetic_server_flag = "--synthetic-server";

namespace detail {

/// The bytes of "range: bytes=FIRST-LAST", or of all.
inline std::pair<std::uint64_t, std::uint64_t> range_of(std::string_view head, std::uint64_t size) {
  constexpr std::string_view mark = "bytes=";
  const std::size_t at = head.find(mark);
  if (at == std::string_view::npos) return {0, size - 1};
  char* end = nullptr;
  const std::uint64_t first = std::strtoull(head.data() + at + mark.size(), &end, 10);
  const std::uint64_t last =
      *end == '-' && end[1] >= '0' && end[1] <= '9' ? std::strtoull(end + 1, nullptr, 10) : size - 1;
  return {first, std::min(last, size - 1)};
}

inline bool send_whole(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(fd, at, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

class synthetic_connection {
 public:
  synthetic_connection(corolith::unique_fd fd, std::uint64_t size, std::span<const std::byte> content)
      : fd_(std::move(fd)), size_(size), content_(content) {}

  void serve() {
    while (const std::optional<std::string> head = next_head())
      if (!answer(*head)) return;
  }

 private:
  std::optional<std::string> next_head() {
    while (true) {
      if (const std::size_t end = received_.find("\r\n\r\n"); end != std::string::npos) {
        std::string head = received_.substr(0, end);
        received_.erase(0, end + 4);
        return head;
      }
      char buffer[4096];
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return std::nullopt;
      received_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  bool answer(const std::string& head) {
    const auto [first, last] = range_of(head, size_);
    std::uint64_t left = last - first + 1;
    std::string text = left == size_ ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 206 Partial Content\r\n";
    if (left != size_)
      text += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
              std::to_string(size_) + "\r\n";
    text += "Content-Length: " + std::to_string(left) +
            "\r\nETag: \"synthetic\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n";
    if (!send_whole(fd_.get(), text.data(), text.size())) return false;
    if (head.starts_with("HEAD ")) return true;
    while (left > 0) {
      const std::size_t part = std::min<std::uint64_t>(left, content_.size());
      if (!send_whole(fd_.get(), content_.data(), part)) return false;
      left -= part;
    }
    return true;
  }

  corolith::unique_fd fd_;
  std::uint64_t size_;
  std::span<const std::byte> content_;
  std::string received_;
};

}  // namespace detail

/// What follows the flag: the size of the object. Prints its port, and serves until its standard input ends.
inline int serve_synthetic(char** words) {
  namespace ur = corolith::uring;
  const std::uint64_t size = std::stoull(words[0]);
  object_memory content(std::size_t{1} << 20U);
  fill(content.span(), 1);
  const corolith::unique_fd listener = ur::listening_socket(ur::socket_address::of_ip("127.0.0.1", 0));
  std::printf("%u\n", static_cast<unsigned>(ur::socket_address::local(listener.get()).port()));
  std::fflush(stdout);
  while (true) {
    pollfd ready[] = {{listener.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) std::_Exit(0);  // with threads that wait for requests
    corolith::unique_fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([one = detail::synthetic_connection(std::move(fd), size, content.span())]() mutable {
      one.serve();
    }).detach();
  }
}

}  // namespace bench::s3
