// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/address.hpp>
#include <corolith/wire/listener.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corolith::inline v0::wire {

/// Where to wait for peers over TCP.
struct meeting_options {
  std::string listen = {};       ///< an address; empty: all interfaces
  std::string interface = {};    ///< where `listen` is empty: the addresses of this network interface
  std::uint16_t first_port = 0;  ///< to choose from where `listen` has no port of its own; 0: any that is free
  std::uint16_t last_port = 0;
  bool loopback = false;  ///< where both are empty: peers are on this machine
};

struct meeting {
  std::shared_ptr<wire::listener> listener;
  std::vector<std::string> addresses;  ///< under which peers may find it, the likeliest first
};

/// The addresses to try to listen at, in turn: any of them will do.
COROLITH_DECL std::vector<address> places_to_listen(const meeting_options& how);

/// Listens at the first of `places` where it can. Throws config_error that says what to do.
COROLITH_DECL meeting meet(asio::io_context& io, const meeting_options& how, const std::vector<address>& places,
                           std::optional<secret> shared, hello mine, role expected, listener::events events);

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/meeting.ipp>
#endif
