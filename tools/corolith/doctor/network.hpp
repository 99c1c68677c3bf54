// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "finding.hpp"

#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/address.hpp>
#include <corolith/wire/local_addresses.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

/// Where agents call back.
namespace tool::doctor {

/// 0, or why nobody can listen there.
inline int try_port(const sockaddr* where, socklen_t size) {
  const corolith::unique_fd socket(::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), where, size) != 0 || ::listen(socket.get(), 1) != 0) return errno;
  return 0;
}

inline int try_port(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int problem = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (problem != 0) return EADDRNOTAVAIL;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  return try_port(list->ai_addr, list->ai_addrlen);
}

inline void check_ports(report& into, const corolith::options& how) {
  if (how.ports.first == 0) return;
  unsigned free = 0;
  const unsigned all = static_cast<unsigned>(how.ports.last - how.ports.first) + 1;
  for (unsigned port = how.ports.first; port <= how.ports.last; ++port)
    if (try_port("0.0.0.0", static_cast<std::uint16_t>(port)) == 0) ++free;
  if (free == 0)
    return into.problem("ports",
                        fmt::format("none of the ports {}-{} can be listened at: they are in use, or not ours",
                                    how.ports.first, how.ports.last),
                        "name others with --ports, such as your firewall lets through");
  into.good("ports", fmt::format("{} of {} ports from {} to {} are free", free, all, how.ports.first, how.ports.last));
}

inline void check_listen(report& into, const corolith::options& how) {
  corolith::wire::address where;
  try {
    where = corolith::wire::address::parse(how.listen);
  } catch (const corolith::config_error& failure) {
    return into.problem("listen", failure.what(), "write --listen tcp:HOST:PORT");
  }
  if (where.kind == corolith::wire::address::family::unix_socket) return into.good("listen", how.listen);
  if (const int problem = try_port(where.host == "*" ? "" : where.host, where.port); problem != 0)
    return into.problem("listen", fmt::format("nobody can listen at {}: {}", how.listen, std::strerror(problem)),
                        "name an address of this machine and a free port (0: any) with --listen");
  into.good("listen", fmt::format("{} can be listened at", how.listen));
}

inline bool is_loopback(const std::string& number) { return number.starts_with("127.") || number == "::1"; }

inline void check_addresses(report& into, const corolith::options& how) {
  std::vector<std::string> numbers;
  try {
    numbers = how.interface.empty() ? corolith::wire::local_addresses()
                                    : corolith::wire::addresses_of_interface(how.interface);
  } catch (const corolith::config_error& failure) {
    return into.problem("interface", failure.what(), "name one of those with --interface, or give none");
  }
  if (how.launcher == "local") return into.good("addresses", "local agents need none");
  if (std::all_of(numbers.begin(), numbers.end(), is_loopback))
    return into.problem("addresses", "this machine has no address but loopback, so no node can call back",
                        "bring an interface up, or run the driver in a job");
  into.good("addresses", fmt::format("agents are told {}", fmt::join(numbers, ", ")));
}

/// From which of our addresses a packet to a node would leave: the one that it can answer to.
inline void check_route(report& into, const std::string& node, const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (const int problem = ::getaddrinfo(address.c_str(), "9", &hints, &list); problem != 0)
    return into.note("route", fmt::format("the address of node {}, {}, is not known here ({})", node, address,
                                          ::gai_strerror(problem)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  const corolith::unique_fd socket(::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (!socket || ::connect(socket.get(), list->ai_addr, list->ai_addrlen) != 0)
    return into.problem("route", fmt::format("there is no route to node {}: {}", node, std::strerror(errno)),
                        "run the driver in a job, or ask for a route from this machine to the nodes");
  std::array<char, NI_MAXHOST> number{};
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size);
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, number.data(), number.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0)
    into.good("route", fmt::format("packets to node {} leave from {}", node, number.data()));
}

inline void check_network(report& into, const corolith::options& how) {
  if (how.listen.empty())
    check_addresses(into, how);
  else
    check_listen(into, how);
  check_ports(into, how);
}

}  // namespace tool::doctor
