// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/core.hpp>

#include <algorithm>

namespace corolith::inline v0::schedule::detail {

COROLITH_DECL std::int64_t core::idle_cpus() const noexcept {
  std::int64_t idle = 0;
  for (const agent_record& agent : agents)
    if (agent.alive && !agent.draining && !agent.resting && !agent.on_trial && agent.idle > 0) idle += agent.idle;
  return idle;
}

// Calls that queue at an agent from which nothing has come for a while, when other agents idle and nothing else waits.
COROLITH_DECL void core::recall_queued() {
  refresh_dirty();
  if (tree.most_idle() <= 0 || best_shape(true) != no_slot) return;
  std::int64_t idle = idle_cpus();
  for (std::uint32_t slot = 0; slot < agents.size() && idle > 0; ++slot) {
    const agent_record& agent = agents[slot];
    if (!agent.alive || agent.idle >= 0 || now - agent.quiet_since < config.recall_after_ns) continue;
    idle -= recall_from(slot, std::min(idle, -agent.idle), recallable::any);
  }
}

// Whether calls of the batch may be waiting at the agent for others that last: for what both need.
COROLITH_DECL bool core::wait_behind(const agent_record& agent, const batch_record& batch) noexcept {
  if (!agent.crowded) return false;
  const charge total = capacity_of(agent.total);
  return agent.lasting.cpus > total.cpus || (batch.cost.gpus > 0 && agent.lasting.gpus > total.gpus) ||
         (batch.cost.memory > 0 && agent.lasting.memory > total.memory);
}

// Calls that wait behind others that last, when other agents have room for them: at once, since those others will not end
// soon.
COROLITH_DECL void core::recall_lasting() {
  if (crowded == 0 || tree.most_idle() <= 0) return;
  std::int64_t idle = idle_cpus() - coming_back;
  for (std::uint32_t slot = 0; slot < agents.size() && idle > 0; ++slot)
    if (agents[slot].crowded && agents[slot].unheard > 0) idle -= recall_from(slot, idle, recallable::lasting);
}

// What was sent ahead must not make calls of another kind wait for two long ones instead of one: it leaves the agent that
// is kept free for them.
COROLITH_DECL void core::make_way() {
  if (reserved_agent == no_slot) return;
  const agent_record& agent = agents[reserved_agent];
  for (std::size_t at = 0; at < batches.size() && agent.crowded && agent.unheard > 0; ++at) {
    batch_record& batch = *batches[at];
    if (!batch.opened.contains(reserved_agent) || batch.done || batch.shape == reserved_shape) continue;
    if (!may_make_way(batch) || recall_of(batch, reserved_agent, agent.total.cpus, recallable::lasting) == 0) continue;
    batch.yields = true;
  }
}

// Recalls calls that need up to `cpus`, where another agent has room for them. Returns their cpus.
COROLITH_DECL std::int64_t core::recall_from(std::uint32_t slot, std::int64_t cpus, recallable which) {
  std::int64_t recalled = 0;
  for (const auto& batch : batches) {
    if (!batch->opened.contains(slot) || batch->done || recalled >= cpus) continue;
    if (which == recallable::lasting && batch->options.chunk != 0) continue;  // of which only a part was counted
    const charge entire = charge_of(batch->options.need, 1);
    if (!agents[slot].draining && tree.find(entire, entire, entire) == no_slot) continue;
    recalled += recall_of(*batch, slot, cpus - recalled, which);
  }
  return recalled;
}

// The last calls first: they are the least likely to have started. Of calls that last no more than have to wait.
COROLITH_DECL std::int64_t core::recall_of(batch_record& batch, std::uint32_t slot, std::int64_t cpus,
                                           recallable which) {
  agent_record& agent = agents[slot];
  const std::int64_t of_each = batch.options.need.cpus;
  std::int64_t recalled = 0;
  call_table& calls = batch.calls;
  for (std::uint32_t i = calls.previous_live(calls.size()); i != no_slot && recalled < cpus;
       i = calls.previous_live(i)) {
    if (which == recallable::lasting && !wait_behind(agent, batch)) break;
    call_record& call = *calls.find(i);
    const bool movable = call.state == call_state::sent && call.agent == slot && !call.blocked && !call.started;
    if (!movable || call.recalled || call.cancelled || (which == recallable::lasting && !call.lasts)) continue;
    call.recalled = true;
    coming_back += of_each;
    recalled += of_each;
    if (call.lasts) {
      count_lasting(agent, batch, call, false);
      call.lasts = false;
      --agent.unheard;
    }
    queued.push_back({command_kind::recall, fail_reason::none, 0, agent.id, {batch.id, i, call.attempt}});
  }
  if (recalled != 0) mark_dirty(agent);
  return recalled;
}

}  // namespace corolith::inline v0::schedule::detail
