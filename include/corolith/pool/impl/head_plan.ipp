// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/pool/detail/head_core.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

COROLITH_DECL pool_state head_core::state_now() {
  pool_state now;
  for (const auto& [id, each] : nodes_)
    now.nodes[id] = {each.hello.cpus, each.hello.gpus, each.hello.memory, each.ending};
  for (auto& [id, each] : members_) {
    driver_state& driver = now.drivers[id];
    driver.open = each.demand.open;
    driver.cpus = std::max(1U, each.demand.cpus);
    driver.gpus = each.demand.gpus;
    driver.memory = each.demand.memory;
    driver.refused = each.refused;
  }
  std::map<std::uint64_t, std::uint64_t> held;
  for (const auto& [id, each] : leases_) {
    lease_state& state = now.leases[id];
    state = {
        each.node, each.member, each.what.slots, each.what.gpus, each.what.memory, false, each.draining || each.ending};
    if (!state.draining) held[each.member] += each.what.slots;
    const auto owner = members_.find(each.member);
    if (owner == members_.end()) continue;
    const auto& busy = owner->second.demand.busy;
    // An agent that has just been asked for is about to be busy.
    state.busy = std::find(busy.begin(), busy.end(), id) != busy.end();
  }
  for (auto& [id, each] : members_) {
    driver_state& driver = now.drivers[id];
    const bool idle = held[id] > driver.open * driver.cpus;
    if (!idle) each.idle_since = {};
    if (idle && each.idle_since == clock::time_point{}) each.idle_since = clock::now();
    driver.lingers = !idle || clock::now() - each.idle_since < settings_.linger;
  }
  return now;
}

COROLITH_DECL void head_core::plan() {
  if (down_) return;
  const lease_plan made = plan_leases(state_now());
  for (auto& [id, each] : members_) {
    const auto share = made.shares.find(id);
    each.share = share == made.shares.end() ? 0 : share->second;
  }
  for (const std::uint64_t id : made.drains) ask_back(id);
  for (const grant& each : made.grants) give(each);
}

COROLITH_DECL void head_core::give(const grant& what) {
  const node& at = nodes_.at(what.node);
  const member& to = members_.at(what.driver);
  const std::uint64_t id = ++last_id_;
  wire::pool_lease message;
  message.lease = id;
  message.slots = what.slots;
  message.gpus = what.gpus;
  message.memory = what.memory;
  message.connect = to.join.connect;
  message.secret = to.join.secret;
  message.rejoin_ms = to.join.rejoin_ms;
  message.cache_folder = to.join.cache_folder;
  message.log_level = to.join.log_level;
  at.channel->send(wire::message_type::pool_lease, wire::pack(message));
  leases_[id] = {what.node, what.driver, what, false, false, clock::now()};
  log::debug(fmt::format("lease {}: {} slots of {} for {} (process {} on {})", id, what.slots, at.hello.host,
                         to.join.program, to.join.pid, to.join.host));
}

COROLITH_DECL void head_core::ask_back(std::uint64_t id) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.draining || found->second.ending) return;
  found->second.draining = true;
  const auto owner = members_.find(found->second.member);
  if (owner == members_.end()) return;
  owner->second.channel->send(wire::message_type::pool_drain, wire::pack(wire::pool_drain{id}));
  log::debug(fmt::format("lease {} is asked back", id));
}

}  // namespace detail
}  // namespace pool
}  // namespace v0
}  // namespace corolith
