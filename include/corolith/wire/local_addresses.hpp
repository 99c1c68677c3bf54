// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <string>
#include <vector>

namespace corolith::inline v0::wire {

/// Numbers (IPv4 and IPv6) under which other machines may reach this one, the likeliest first: the one that a packet to far away
/// would leave from, then the others, then loopback. Link-local ones are left out.
COROLITH_DECL std::vector<std::string> local_addresses();

/// Those of one network interface. Throws config_error that names the interfaces there are when it has none.
COROLITH_DECL std::vector<std::string> addresses_of_interface(const std::string& name);

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/local_addresses.ipp>
#endif
