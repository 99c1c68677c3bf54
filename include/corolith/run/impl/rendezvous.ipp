// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/run/detail/rendezvous.hpp>
#include <corolith/wire/local_addresses.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <system_error>

namespace corolith {
inline namespace v0 {
namespace detail {

inline bool is_wildcard(const std::string& host) { return host == "::" || host == "0.0.0.0" || host == "*"; }

/// The addresses to try to listen at, in turn: any of them will do.
inline std::vector<wire::address> places_to_listen(const options& settings, const std::string& session_folder) {
  if (!settings.listen.empty()) return {wire::address::parse(settings.listen)};
  if (!settings.interface.empty()) {
    std::vector<wire::address> places;
    for (std::string& number : wire::addresses_of_interface(settings.interface))
      places.push_back(wire::address::tcp(number, 0));
    return places;
  }
  if (settings.launcher == "local" && settings.ports.first == 0)
    return {wire::address::unix_path(session_folder + "/driver")};
  if (settings.launcher == "local") return {wire::address::tcp("127.0.0.1", 0)};
  return {wire::address::tcp("::", 0), wire::address::tcp("0.0.0.0", 0)};  // where there is no IPv6, there is the other
}

/// The ports to try for one address: its own, or all of the range in a random order, so that drivers beside each other do not
/// queue for the first.
inline std::vector<std::uint16_t> ports_to_try(const wire::address& where, const port_range& range) {
  if (where.port != 0 || range.first == 0) return {where.port};
  std::vector<std::uint16_t> ports;
  for (unsigned port = range.first; port <= range.last; ++port) ports.push_back(static_cast<std::uint16_t>(port));
  std::shuffle(ports.begin(), ports.end(), std::minstd_rand(std::random_device{}()));
  return ports;
}

inline std::vector<std::string> addresses_to_tell(const options& settings, const wire::address& bound) {
  if (bound.kind == wire::address::family::unix_socket || !is_wildcard(bound.host)) return {bound.to_string()};
  std::vector<std::string> told;
  for (const std::string& number : wire::local_addresses()) {
    if (bound.host == "0.0.0.0" && number.find(':') != std::string::npos) continue;
    told.push_back(wire::address::tcp(number, bound.port).to_string());
  }
  if (told.empty())
    throw config_error(
        fmt::format("no network interface has an address that agents could call back ({} launcher); name one with "
                    "--listen tcp:HOST:PORT",
                    settings.launcher));
  return told;
}

COROLITH_DECL rendezvous meet_agents(asio::io_context& io, const options& settings, const std::string& session_folder,
                                     const std::string& secret_file, wire::listener::events events) {
  const std::vector<wire::address> places = places_to_listen(settings, session_folder);
  std::optional<wire::secret> shared;
  if (places.front().kind == wire::address::family::tcp) {
    shared = wire::secret::make();
    shared->save(secret_file);
  } else if (settings.launcher != "local") {
    throw config_error("listen: agents on other nodes cannot use a Unix socket; write tcp:HOST:PORT");
  }
  wire::hello mine;
  mine.role = wire::role::driver;
  std::string why;
  for (const wire::address& place : places) {
    for (const std::uint16_t port : ports_to_try(place, settings.ports)) {
      wire::address where = place;
      where.port = port;
      try {
        rendezvous made;
        made.listener = wire::listener::listen(io, where, shared, mine, wire::role::agent, events);
        made.addresses = addresses_to_tell(settings, made.listener->local_address());
        return made;
      } catch (const std::system_error& failure) {
        why = fmt::format("{}: {}", where.to_string(), failure.what());
      }
    }
  }
  throw config_error("cannot listen for agents at " + why + "; choose with --listen, --interface or --ports");
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
