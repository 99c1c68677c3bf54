// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/local_addresses.hpp>
#include <corolith/wire/meeting.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <system_error>

namespace corolith::inline v0::wire {

namespace detail {

inline bool is_wildcard(const std::string& host) { return host == "::" || host == "0.0.0.0" || host == "*"; }

/// The ports to try for one address: its own, or all of the range in a random order, so that those beside each other do not
/// queue for the first.
inline std::vector<std::uint16_t> ports_to_try(const address& where, const meeting_options& how) {
  if (where.port != 0 || how.first_port == 0) return {where.port};
  std::vector<std::uint16_t> ports;
  for (unsigned port = how.first_port; port <= how.last_port; ++port) ports.push_back(static_cast<std::uint16_t>(port));
  std::shuffle(ports.begin(), ports.end(), std::minstd_rand(std::random_device{}()));
  return ports;
}

inline std::vector<std::string> addresses_to_tell(const address& bound) {
  if (bound.kind == address::family::unix_socket || !is_wildcard(bound.host)) return {bound.to_string()};
  std::vector<std::string> told;
  for (const std::string& number : local_addresses()) {
    if (bound.host == "0.0.0.0" && number.find(':') != std::string::npos) continue;
    told.push_back(address::tcp(number, bound.port).to_string());
  }
  if (told.empty())
    throw config_error(
        "no network interface has an address that agents could call back; name one with --listen tcp:HOST:PORT");
  return told;
}

}  // namespace detail

COROLITH_DECL std::vector<address> places_to_listen(const meeting_options& how) {
  if (!how.listen.empty()) return {address::parse(how.listen)};
  if (!how.interface.empty()) {
    std::vector<address> places;
    for (std::string& number : addresses_of_interface(how.interface)) places.push_back(address::tcp(number, 0));
    return places;
  }
  if (how.loopback) return {address::tcp("127.0.0.1", 0)};
  return {address::tcp("::", 0), address::tcp("0.0.0.0", 0)};  // where there is no IPv6, there is the other
}

COROLITH_DECL meeting meet(asio::io_context& io, const meeting_options& how, const std::vector<address>& places,
                           std::optional<secret> shared, hello mine, role expected, listener::events events) {
  std::string why;
  for (const address& place : places) {
    for (const std::uint16_t port : detail::ports_to_try(place, how)) {
      address where = place;
      where.port = port;
      try {
        meeting made;
        made.listener = listener::listen(io, where, shared, mine, expected, events);
        made.addresses = detail::addresses_to_tell(made.listener->local_address());
        return made;
      } catch (const std::system_error& failure) {
        why = fmt::format("{}: {}", where.to_string(), failure.what());
      }
    }
  }
  throw config_error("cannot listen for agents at " + why + "; choose with --listen, --interface or --ports");
}

}  // namespace corolith::inline v0::wire
