// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace corolith {
inline namespace v0 {
namespace uring {

/// Where a socket connects to or listens: an IPv4 or IPv6 address with a port, or the path of a Unix socket.
class socket_address {
 public:
  socket_address() noexcept = default;
  /// As the system gives them, for example by getaddrinfo. Throws errc::misuse when it is longer than any can be.
  COROLITH_DECL socket_address(const ::sockaddr* from, ::socklen_t size);
  /// Of numbers such as "127.0.0.1" or "::1", not of a host's name. Throws errc::misuse for anything else.
  COROLITH_DECL static socket_address of_ip(std::string_view numbers, std::uint16_t port);
  /// Throws errc::misuse for a path that is empty or too long for a socket.
  COROLITH_DECL static socket_address of_path(std::string_view path);
  /// Where a socket is bound to. Throws std::system_error.
  COROLITH_DECL static socket_address local(int fd);
  /// Whom a socket is connected to. Throws std::system_error.
  COROLITH_DECL static socket_address peer(int fd);

  const ::sockaddr* data() const noexcept { return reinterpret_cast<const ::sockaddr*>(&storage_); }
  ::sockaddr* data() noexcept { return reinterpret_cast<::sockaddr*>(&storage_); }
  ::socklen_t size() const noexcept { return size_; }
  /// AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC when empty.
  int family() const noexcept { return storage_.ss_family; }
  /// Zero where there is none.
  COROLITH_DECL std::uint16_t port() const noexcept;
  /// "127.0.0.1:80", "[::1]:80", or the path.
  COROLITH_DECL std::string to_string() const;

 private:
  ::sockaddr_storage storage_{};
  ::socklen_t size_ = 0;
};

/// A stream socket of the address' family, closed on exec. Throws std::system_error.
COROLITH_DECL unique_fd stream_socket(const socket_address& family_of);
/// A stream socket that listens at an address; a port of zero lets the system choose (`socket_address::local` says which).
/// Throws std::system_error.
COROLITH_DECL unique_fd listening_socket(const socket_address& at, int backlog = 128);

}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/socket_address.ipp>
#endif
