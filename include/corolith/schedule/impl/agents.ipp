// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/core.hpp>

#include <algorithm>

namespace corolith::inline v0::schedule::detail {

inline constexpr std::uint32_t strikes_before_rest = 3;

COROLITH_DECL void core::add_agent(agent_id id, const resources& total) {
  if (agent_slots.find(id) != no_slot) return;
  if (free_agents.empty()) {
    free_agents.push_back(static_cast<std::uint32_t>(agents.size()));
    agents.emplace_back();
  }
  const std::uint32_t slot = free_agents.back();
  free_agents.pop_back();
  agent_record& agent = agents[slot];
  agent = agent_record{};
  agent.id = id;
  agent.total = total;
  agent.free = capacity_of(total);
  agent.unused = agent.free;
  agent.alive = true;
  agent.rest_length = config.first_rest_ns;
  agent_slots.insert(id, slot);
  total_cpus += total.cpus;
  count_fitting(total, true);
  mark_dirty(agent);
  for (const auto& batch : batches)  // their windows grow
    if (batch->shape != no_slot && !batch->input_ended) touch(*batch);
}

// Forgets the agent; what was at it waits again, at the front and in its old order.
COROLITH_DECL void core::remove_agent(std::uint32_t slot) {
  if (reserved_agent == slot) unreserve();
  agent_record& agent = agents[slot];
  for (const auto& batch : batches) {
    if (!batch->opened.contains(slot)) continue;
    batch->opened.erase(slot);
    call_table& calls = batch->calls;
    for (std::uint32_t i = calls.previous_live(calls.size()); i != no_slot; i = calls.previous_live(i)) {
      call_record& call = *calls.find(i);
      if (call.state != call_state::sent || call.agent != slot) continue;
      release(agent, *batch, call);
      call.agent = no_slot;
      requeue(*batch, i, call);
    }
    rank(*batch);
  }
  if (!agent.draining) count_fitting(agent.total, false);
  total_cpus -= agent.total.cpus;
  agent_slots.erase(agent.id);
  agent.alive = false;
  refresh(slot);
  free_agents.push_back(slot);
  wake_if_none_healthy();
}

COROLITH_DECL void core::drain_agent(agent_record& agent) {
  if (agent.draining) return;
  const auto slot = static_cast<std::uint32_t>(&agent - agents.data());
  if (reserved_agent == slot) unreserve();
  agent.draining = true;
  count_fitting(agent.total, false);
  mark_dirty(agent);
  recall_from(slot, std::int64_t{1} << 62, recallable::any);
  wake_if_none_healthy();
}

COROLITH_DECL void core::count_fitting(const resources& total, bool more) {
  for (shape_record& shape : shapes)
    if (could_ever_fit(shape.need, total)) shape.fitting += more ? 1u : ~0u;
}

// One bad node must not eat call after call: an agent that only loses workers rests, longer each time. It is the last
// one standing that never rests, or a batch that crashes everywhere would take for ever to say so.
COROLITH_DECL void core::judge_agent(agent_record& agent, outcome_kind kind) {
  if (kind == outcome_kind::cancelled) return;
  if (kind != outcome_kind::worker_lost) {
    agent.strikes = 0;
    if (agent.resting || agent.on_trial) wake(agent, false);
    return;
  }
  if (++agent.strikes < strikes_before_rest || agent.resting || !other_healthy(&agent)) return;
  agent.resting = true;
  agent.rest_until = now + agent.rest_length;
  agent.rest_length = std::min(agent.rest_length * 2, config.longest_rest_ns);
  const auto slot = static_cast<std::uint32_t>(&agent - agents.data());
  if (reserved_agent == slot) unreserve();
}

COROLITH_DECL void core::wake(agent_record& agent, bool on_trial) {
  agent.resting = false;
  agent.on_trial = on_trial;
  if (!on_trial) agent.rest_length = config.first_rest_ns;
  mark_dirty(agent);
}

COROLITH_DECL bool core::other_healthy(const agent_record* than) const noexcept {
  for (const agent_record& agent : agents)
    if (&agent != than && agent.alive && !agent.resting && !agent.draining && !agent.on_trial) return true;
  return false;
}

COROLITH_DECL void core::wake_if_none_healthy() {
  if (other_healthy(nullptr)) return;
  for (agent_record& agent : agents)
    if (agent.alive && (agent.resting || agent.on_trial)) wake(agent, false);
}

COROLITH_DECL void core::mark_dirty(agent_record& agent) {
  if (agent.dirty) return;
  agent.dirty = true;
  dirty_agents.push_back(static_cast<std::uint32_t>(&agent - agents.data()));
}

// What the tree shows of an agent is what may be sent to it now.
COROLITH_DECL void core::refresh(std::uint32_t slot) {
  const agent_record& agent = agents[slot];
  // A blocked call does not count: what it waits for may have to run here.
  const bool tried = agent.on_trial && agent.calls > agent.blocked;
  const bool closed = !agent.alive || agent.draining || agent.resting || slot == reserved_agent || tried;
  if (closed) return tree.set(slot, {});
  charge unused = agent.unused.at_least_none();
  if (agent.on_trial) unused.cpus = 0;
  tree.set(slot, {agent.free, unused.cpus / whole, capacity_of(agent.total), unused});
}

COROLITH_DECL void core::refresh_dirty() {
  for (const std::uint32_t slot : dirty_agents) {
    agents[slot].dirty = false;
    refresh(slot);
  }
  dirty_agents.clear();
}

COROLITH_DECL void core::pass_time(std::int64_t now_ns) {
  now = std::max(now, now_ns);
  for (agent_record& agent : agents) {
    if (!agent.alive) continue;
    if (agent.resting && agent.rest_until <= now) wake(agent, true);
    if (agent.progressed) agent.quiet_since = now;
    agent.progressed = false;
  }
  ticked = true;
}

}  // namespace corolith::inline v0::schedule::detail
