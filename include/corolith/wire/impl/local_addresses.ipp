// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/local_addresses.hpp>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace corolith::inline v0::wire {
namespace detail {

struct interface_address {
  std::string interface;
  std::string number;
  bool loopback;
};

/// Empty for anything that is neither IPv4 nor IPv6, and for link-local addresses, which mean nothing without their interface.
inline std::string number_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    const in6_addr& number = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&number)) return {};
    bytes = &number;
  }
  if (bytes == nullptr || ::inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

inline std::vector<interface_address> interface_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<interface_address> found;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || (each->ifa_flags & IFF_UP) == 0) continue;
    std::string number = number_of(each->ifa_addr);
    if (!number.empty()) found.push_back({each->ifa_name, std::move(number), (each->ifa_flags & IFF_LOOPBACK) != 0});
  }
  return found;
}

/// The source address that the routing table gives a packet to `far`, a documentation address that nothing is sent to.
inline std::string routed_address(int family, const char* far) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_in6);
  storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    auto& to = reinterpret_cast<sockaddr_in&>(storage);
    to.sin_port = htons(9);
    ::inet_pton(family, far, &to.sin_addr);
    size = sizeof(sockaddr_in);
  } else {
    auto& to = reinterpret_cast<sockaddr_in6&>(storage);
    to.sin6_port = htons(9);
    ::inet_pton(family, far, &to.sin6_addr);
  }
  const int socket = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return {};
  std::string number;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&storage), size) == 0 &&
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) == 0)
    number = number_of(reinterpret_cast<const sockaddr*>(&storage));
  ::close(socket);
  return number;
}

}  // namespace detail

COROLITH_DECL std::vector<std::string> local_addresses() {
  std::vector<std::string> numbers{detail::routed_address(AF_INET, "192.0.2.1"),
                                   detail::routed_address(AF_INET6, "2001:db8::1")};
  for (const bool loopback : {false, true})
    for (detail::interface_address& each : detail::interface_addresses())
      if (each.loopback == loopback) numbers.push_back(std::move(each.number));
  std::vector<std::string> once;
  for (std::string& number : numbers)
    if (!number.empty() && std::find(once.begin(), once.end(), number) == once.end()) once.push_back(std::move(number));
  return once;
}

COROLITH_DECL std::vector<std::string> addresses_of_interface(const std::string& name) {
  std::vector<std::string> numbers;
  std::string known;
  for (detail::interface_address& each : detail::interface_addresses()) {
    if (each.interface == name) numbers.push_back(std::move(each.number));
    if (known.find(each.interface) == std::string::npos) known += (known.empty() ? "" : ", ") + each.interface;
  }
  if (numbers.empty()) throw config_error("interface: '" + name + "' has no address to listen at; there are: " + known);
  return numbers;
}

}  // namespace corolith::inline v0::wire
