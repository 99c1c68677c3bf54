// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/core.hpp>

#include <algorithm>
#include <utility>

// Sending ahead and taking back: the rules.
//
// A call lasts if it is long, not measured, or known to have run for a while. A call that lasts is sent ahead if, where it is
// sent, it has to wait behind others that last (would_wait).
//  1. A long call is sent ahead only while no calls of another shape wait: they would have to wait for it, too. Those of
//     the same shape take turns anyway (holds_back).
//  2. What was sent ahead and waits is taken back at once where another agent has room for it (recall_ahead), and from
//     an agent that is kept free for calls of another shape, if it is long (make_way). What was sent to where it could start
//     stays.
//  3. What was taken back, by any of these rules, is sent only to where it can start, and its batch sends nothing else before
//     it (holds_back). So a call is sent ahead once, and none goes to and fro.
//  4. What waits at an agent in another way, as short calls do, is taken back when nothing has come from the agent for a
//     while and others idle (recall_queued).
// The user's chunks are as large as the user wants them: they are neither long nor sent ahead here.

namespace corolith::inline v0::schedule::detail {

// What the user wants queued takes only its part of a window: it says nothing of what runs.
COROLITH_DECL void core::count_lasting(agent_record& agent, const batch_record& batch, const call_record& call,
                                       bool more) noexcept {
  const charge cost = charge_of(batch.options.need, batch.options.chunk == 0 ? 1 : call.depth);
  if (more) {
    agent.lasting += cost;
  } else {
    agent.lasting -= cost;
  }
}

COROLITH_DECL void core::count_ahead(agent_record& agent, call_record& call, bool ahead) noexcept {
  if (call.ahead == ahead) return;
  call.ahead = ahead;
  agent.ahead += ahead ? 1 : ~0u;
  total_ahead += ahead ? 1 : ~0u;
}

// Whether the batch's next call would be sent ahead, if it lasts. Those that last may take more than there is, of what they
// had given up while they were blocked.
COROLITH_DECL bool core::would_wait(const agent_record& agent, const batch_record& batch) noexcept {
  return batch.options.chunk == 0 && !batch.entire.fits_in((capacity_of(agent.total) - agent.lasting).at_least_none());
}

// Whether the batch's next call could start at once, as far as is known of what was sent to the agent before.
COROLITH_DECL bool core::could_start(const agent_record& agent, const batch_record& batch) noexcept {
  return batch.entire.fits_in(agent.unused.at_least_none());
}

// Whether calls of the batch that were sent ahead may still be waiting for what others that last have.
COROLITH_DECL bool core::waits(const agent_record& agent, const batch_record& batch) noexcept {
  const charge total = capacity_of(agent.total);
  return agent.lasting.cpus > total.cpus || (batch.cost.gpus > 0 && agent.lasting.gpus > total.gpus) ||
         (batch.cost.memory > 0 && agent.lasting.memory > total.memory);
}

// Whether the call that is next has just been taken back.
COROLITH_DECL bool core::was_taken_back(batch_record& batch) noexcept {
  for (auto at = batch.requeued.rbegin(); at != batch.requeued.rend(); ++at) {
    const call_record* call = batch.calls.find(*at);
    if (call != nullptr && call->state == call_state::waiting)
      return call->recalled;  // else it was cancelled meanwhile
  }
  return false;
}

COROLITH_DECL bool core::holds_back(batch_record& batch, const agent_record& agent) const noexcept {
  if (was_taken_back(batch)) return !could_start(agent, batch);
  if (!would_wait(agent, batch) || !is_long(config, batch.estimate)) return false;
  const auto others_wait = [&](const shape_record& shape) {
    return &shape != &shapes[batch.shape] && !shape.ready.empty() && shape.fitting != 0;
  };
  return !parked.empty() || std::any_of(shapes.begin(), shapes.end(), others_wait);
}

COROLITH_DECL std::int64_t core::idle_cpus() const noexcept {
  std::int64_t idle = 0;
  for (std::uint32_t slot = 0; slot < agents.size(); ++slot) {
    const agent_record& agent = agents[slot];
    const bool open = agent.alive && !agent.draining && !agent.resting && !agent.on_trial && slot != reserved_agent;
    if (open && agent.idle_cpus() > 0) idle += agent.idle_cpus();
  }
  return idle;
}

// Once after each tick. What idles after all was sent that could be is of no use to calls that wait.
COROLITH_DECL void core::recall_queued() {
  if (!std::exchange(ticked, false) || tree.most_idle() <= 0) return;
  std::int64_t idle = idle_cpus();
  for (std::uint32_t slot = 0; slot < agents.size() && idle > 0; ++slot) {
    const agent_record& agent = agents[slot];
    if (!agent.alive || agent.idle_cpus() >= 0 || now - agent.quiet_since < config.recall_after_ns) continue;
    idle -= recall_from(slot, std::min(idle, -agent.idle_cpus()), recallable::any);
  }
}

// No more than can start at once: what is on its way back will take a part of what is idle.
COROLITH_DECL void core::recall_ahead() {
  if (total_ahead == 0 || tree.most_idle() <= 0) return;
  std::int64_t idle = idle_cpus() - coming_back;
  for (std::uint32_t slot = 0; slot < agents.size() && idle > 0; ++slot)
    if (agents[slot].ahead > 0) idle -= recall_from(slot, idle, recallable::ahead);
}

// Calls that are not measured stay: nobody knows that they take long.
COROLITH_DECL void core::make_way() {
  if (reserved_agent == no_slot) return;
  const agent_record& agent = agents[reserved_agent];
  for (std::size_t at = 0; at < batches.size() && agent.ahead > 0; ++at) {
    batch_record& batch = *batches[at];
    if (!batch.opened.contains(reserved_agent) || batch.done || batch.shape == reserved_shape) continue;
    if (is_long(config, batch.estimate)) recall_of(batch, reserved_agent, agent.total.cpus, recallable::ahead);
  }
}

// Recalls calls that need up to `cpus`, where another agent has room for them. Returns their cpus.
COROLITH_DECL std::int64_t core::recall_from(std::uint32_t slot, std::int64_t cpus, recallable which) {
  std::int64_t recalled = 0;
  for (const auto& batch : batches) {
    if (!batch->opened.contains(slot) || batch->done || recalled >= cpus) continue;
    const charge& entire = batch->entire;
    if (!agents[slot].draining && tree.find(entire, entire, entire) == no_slot) continue;
    recalled += recall_of(*batch, slot, cpus - recalled, which);
  }
  return recalled;
}

// The last calls first: they are the least likely to have started. Of those sent ahead no more than have to wait.
COROLITH_DECL std::int64_t core::recall_of(batch_record& batch, std::uint32_t slot, std::int64_t cpus,
                                           recallable which) {
  agent_record& agent = agents[slot];
  const std::int64_t of_each = batch.options.need.cpus;
  std::int64_t recalled = 0;
  call_table& calls = batch.calls;
  for (std::uint32_t i = calls.previous_live(calls.size()); i != no_slot && recalled < cpus;
       i = calls.previous_live(i)) {
    if (which == recallable::ahead && !waits(agent, batch)) break;
    call_record& call = *calls.find(i);
    const bool movable = call.state == call_state::sent && call.agent == slot && !call.blocked && !call.started;
    if (!movable || call.recalled || call.cancelled || (which == recallable::ahead && !call.ahead)) continue;
    call.recalled = true;
    coming_back += of_each;
    recalled += of_each;
    count_ahead(agent, call, false);
    if (call.lasts) count_lasting(agent, batch, call, false);
    call.lasts = false;
    queued.push_back({command_kind::recall, fail_reason::none, 0, agent.id, {batch.id, i, call.attempt}});
  }
  return recalled;
}

}  // namespace corolith::inline v0::schedule::detail
