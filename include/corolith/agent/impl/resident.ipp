// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/resident_session.hpp>
#include <corolith/agent/detail/setup.hpp>
#include <corolith/agent/resident.hpp>
#include <corolith/core/log.hpp>

#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {

COROLITH_DECL int run_resident(agent_options options) {
  if (!options.log_level.empty()) log::set_level(log::parse_level(options.log_level));
  std::vector<wire::address> places = detail::parse_addresses(options.connect);
  detail::fill_in(options);
  log::set_role("resident " + options.node_name);
  const detail::closed_process closed(true);  // it hands out the secrets of runs
  std::optional<wire::secret> secret = detail::secret_for(options, places);
  return detail::resident_session(std::move(options), std::move(places), std::move(secret)).run();
}

}  // namespace agent
}  // namespace v0
}  // namespace corolith
