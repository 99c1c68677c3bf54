// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/run/detail/rendezvous.hpp>
#include <corolith/wire/meeting.hpp>

#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

inline std::vector<wire::address> places_of_driver(const options& settings, const wire::meeting_options& how,
                                                   const std::string& session_folder) {
  const bool by_socket = how.loopback && how.listen.empty() && how.interface.empty() && settings.ports.first == 0;
  if (by_socket) return {wire::address::unix_path(session_folder + "/driver")};
  return wire::places_to_listen(how);
}

COROLITH_DECL rendezvous meet_agents(asio::io_context& io, const options& settings, bool all_here,
                                     const std::string& session_folder, const std::string& secret_file,
                                     wire::listener::events events) {
  const wire::meeting_options how{settings.listen, settings.interface, settings.ports.first, settings.ports.last,
                                  all_here};
  const std::vector<wire::address> places = places_of_driver(settings, how, session_folder);
  std::optional<wire::secret> shared;
  if (places.front().kind == wire::address::family::tcp) {
    shared = wire::secret::make();
    shared->save(secret_file);
  } else if (!all_here) {
    throw config_error("listen: agents on other nodes cannot use a Unix socket; write tcp:HOST:PORT");
  }
  wire::hello mine;
  mine.role = wire::role::driver;
  wire::meeting made = wire::meet(io, how, places, shared, mine, wire::role::agent, std::move(events));
  return {std::move(made.listener), std::move(made.addresses)};
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
