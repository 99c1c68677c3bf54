// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/uring/socket_address.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace corolith {
inline namespace v0 {
namespace uring {

COROLITH_DECL socket_address::socket_address(const ::sockaddr* from, ::socklen_t size) : size_(size) {
  if (size > sizeof storage_) throw error(errc::misuse, "a socket address cannot be that long");
  std::memcpy(&storage_, from, size);
}

COROLITH_DECL socket_address socket_address::of_ip(std::string_view numbers, std::uint16_t port) {
  const std::string text(numbers);
  ::sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1)
    return socket_address(reinterpret_cast<const ::sockaddr*>(&four), sizeof four);
  ::sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1)
    return socket_address(reinterpret_cast<const ::sockaddr*>(&six), sizeof six);
  throw error(errc::misuse, "'" + text + "' is no IPv4 or IPv6 address");
}

COROLITH_DECL socket_address socket_address::of_path(std::string_view path) {
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw error(errc::misuse, "'" + std::string(path) + "' is no path of a socket: it must have 1 to " +
                                  std::to_string(sizeof address.sun_path - 1) + " characters");
  std::memcpy(address.sun_path, path.data(), path.size());
  const std::size_t size = offsetof(::sockaddr_un, sun_path) + path.size() + 1;
  return socket_address(reinterpret_cast<const ::sockaddr*>(&address), static_cast<::socklen_t>(size));
}

COROLITH_DECL socket_address socket_address::local(int fd) {
  socket_address found;
  found.size_ = sizeof found.storage_;
  if (::getsockname(fd, found.data(), &found.size_) != 0)
    throw std::system_error(errno, std::generic_category(), "getsockname");
  return found;
}

COROLITH_DECL socket_address socket_address::peer(int fd) {
  socket_address found;
  found.size_ = sizeof found.storage_;
  if (::getpeername(fd, found.data(), &found.size_) != 0)
    throw std::system_error(errno, std::generic_category(), "getpeername");
  return found;
}

COROLITH_DECL std::uint16_t socket_address::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const ::sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const ::sockaddr_in6*>(&storage_)->sin6_port);
  return 0;
}

COROLITH_DECL std::string socket_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const ::sockaddr_in*>(&storage_)->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(port());
  }
  if (family() == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const ::sockaddr_in6*>(&storage_)->sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(port());
  }
  if (family() == AF_UNIX && size_ > offsetof(::sockaddr_un, sun_path)) {
    const char* path = reinterpret_cast<const ::sockaddr_un*>(&storage_)->sun_path;
    return std::string(path, ::strnlen(path, size_ - offsetof(::sockaddr_un, sun_path)));
  }
  return {};
}

COROLITH_DECL unique_fd stream_socket(const socket_address& family_of) {
  unique_fd made(::socket(family_of.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made) throw std::system_error(errno, std::generic_category(), "socket");
  return made;
}

COROLITH_DECL unique_fd listening_socket(const socket_address& at, int backlog) {
  unique_fd made = stream_socket(at);
  const int yes = 1;
  if (at.family() != AF_UNIX) ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(made.get(), at.data(), at.size()) != 0)
    throw std::system_error(errno, std::generic_category(), "bind to " + at.to_string());
  if (::listen(made.get(), backlog) != 0) throw std::system_error(errno, std::generic_category(), "listen");
  return made;
}

}  // namespace uring
}  // namespace v0
}  // namespace corolith
