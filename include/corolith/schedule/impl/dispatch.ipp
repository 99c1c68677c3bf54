// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/core.hpp>

#include <algorithm>

namespace corolith::inline v0::schedule::detail {

COROLITH_DECL void core::dispatch() {
  refresh_dirty();
  if (final) fail_unfittable();
  for (shape_record& shape : shapes) shape.skip = false;
  bool still_waits = false;  // for the agent that is kept free
  for (std::uint32_t shape = best_shape(false); shape != no_slot; shape = best_shape(false)) {
    // Once it is another one's turn, be it because the large call was just sent, all may use the agent kept free for
    // it.
    if (reserved_shape != no_slot && shape != reserved_shape && !still_waits) unreserve();
    std::uint32_t agent = pick_agent(shape);
    batch_record& batch = *batches[shapes[shape].ready.top()];
    if (agent != no_slot && only_avoiding(batch, agent)) {
      agent = pick_other_agent(shape, agent);
      if (agent == no_slot || only_avoiding(batch, agent) || holds_back(batch, agents[agent])) {
        shapes[shape].ready.erase(batch.heap_place);
        parked.push_back(batch.slot);
        still_waits = still_waits || shape == reserved_shape;
        continue;
      }
    }
    if (agent == no_slot || holds_back(batch, agents[agent])) {
      shapes[shape].skip = true;
      still_waits = still_waits || shape == reserved_shape;
    } else {
      send_run(shape, agent);
    }
  }
  for (const std::uint32_t slot : parked) rank(*batches[slot]);
  parked.clear();
  reserve();
}

COROLITH_DECL void core::fail_unfittable() {
  for (shape_record& shape : shapes) {
    while (shape.fitting == 0 && !shape.ready.empty()) {
      batch_record& batch = *batches[shape.ready.top()];
      while (batch.waiting > 0) {
        const std::uint32_t index = next_call(batch, no_slot);
        --batch.waiting;
        fail(batch, index, *batch.calls.find(index), fail_reason::cannot_fit);
      }
    }
  }
}

// The shape whose first batch has the least share. Those that no agent could ever run stand aside.
COROLITH_DECL std::uint32_t core::best_shape(bool also_skipped) const noexcept {
  std::uint32_t best = no_slot;
  for (std::uint32_t at = 0; at < shapes.size(); ++at) {
    const shape_record& shape = shapes[at];
    if (shape.ready.empty() || shape.fitting == 0 || (shape.skip && !also_skipped)) continue;
    if (best == no_slot || shape.ready.top_share() < shapes[best].ready.top_share()) best = at;
  }
  return best;
}

// One that can start the call at once, or else one where it may wait.
COROLITH_DECL std::uint32_t core::pick_agent(std::uint32_t at, std::uint32_t other_than) const noexcept {
  const shape_record& shape = shapes[at];
  const std::uint32_t at_once = tree.find(shape.cost, shape.entire, shape.entire);
  if (at_once != no_slot) return at_once;
  if (at == reserved_shape && reserved_agent != other_than && has_room(at, agents[reserved_agent]))
    return reserved_agent;
  return tree.find(shape.cost, shape.entire);
}

// Whether the next call of a shape may be sent there.
COROLITH_DECL bool core::has_room(std::uint32_t shape, const agent_record& agent) const noexcept {
  return shapes[shape].cost.fits_in(agent.free) && !holds_back(*batches[shapes[shape].ready.top()], agent);
}

COROLITH_DECL std::uint32_t core::pick_other_agent(std::uint32_t shape, std::uint32_t than) {
  tree.set(than, {});
  const std::uint32_t found = pick_agent(shape, than);
  refresh(than);
  return found;
}

// Whether all calls that wait in the batch have just lost a worker at this agent, and could run on another, healthy
// one.
COROLITH_DECL bool core::only_avoiding(batch_record& batch, std::uint32_t slot) noexcept {
  if (batch.requeued.size() < batch.waiting) return false;
  std::uint32_t avoiding = 0;
  for (const std::uint32_t index : batch.requeued) {
    const call_record* call = batch.calls.find(index);
    if (call == nullptr || call->state != call_state::waiting) continue;
    if (call->agent != slot) return false;
    ++avoiding;
  }
  if (avoiding < batch.waiting) return false;
  for (const agent_record& agent : agents)
    if (&agent != &agents[slot] && agent.alive && !agent.resting && !agent.draining && !agent.on_trial &&
        could_ever_fit(batch.options.need, agent.total))
      return true;
  return false;
}

// How many calls to send before looking around again: one to an idle slot where others compete for it, else enough that
// the cost of deciding does not count, and no more than an even part of what waits.
COROLITH_DECL std::uint32_t core::run_length(const shape_record& shape, const batch_record& batch,
                                             const agent_record& agent) const {
  if (agent.on_trial) return 1;
  const std::size_t even = batch.waiting / (2 * agent_slots.size());
  const std::int64_t idle_slots = agent.idle_cpus() / static_cast<std::int64_t>(batch.options.need.cpus);
  const bool alone = live_shapes == 1 && shape.ready.size() == 1;
  std::size_t most = std::max(1u, batch.depth / 4);
  if (idle_slots > 0) most = alone ? static_cast<std::size_t>(idle_slots) : 1;
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(even, 1, most));
}

COROLITH_DECL void core::send_run(std::uint32_t shape, std::uint32_t slot) {
  agent_record& agent = agents[slot];
  batch_record& batch = *batches[shapes[shape].ready.top()];
  const charge cost = batch.cost;
  if (!batch.opened.contains(slot)) {
    batch.opened.insert(slot);
    queued.push_back({command_kind::open_batch, fail_reason::none, 0, agent.id, {batch.id, 0, 0}});
  }
  const std::uint32_t limit = std::min(run_length(shapes[shape], batch, agent), batch.waiting);
  const bool lasts = !batch.estimate.measured() || is_long(config, batch.estimate);
  std::uint32_t n = 0;
  do {
    const std::uint32_t index = next_call(batch, slot);
    call_record& call = *batch.calls.find(index);
    call.agent = slot;
    ++call.attempt;
    call.depth = static_cast<std::uint16_t>(batch.depth);
    call.state = call_state::sent;
    call.recalled = call.started = false;
    call.lasts = lasts;
    if (lasts) {
      count_ahead(agent, call, would_wait(agent, batch));
      count_lasting(agent, batch, call, true);
    }
    agent.free -= cost;
    agent.unused -= batch.entire;
    queued.push_back({command_kind::send, fail_reason::none, 0, agent.id, {batch.id, index, call.attempt}});
  } while (++n < limit && cost.fits_in(agent.free) && !holds_back(batch, agent));
  agent.calls += n;
  agent.progressed = true;
  batch.waiting -= n;
  batch.sent += n;
  total_sent += n;
  batch.held += cost.cpus * n;
  batch.key.served = ++served;
  rank(batch);
  refresh(slot);
  if (slot == reserved_agent) {
    shapes[shape].kept_since = now;
    shapes[shape].patience = 0;
  }
}

// Calls that were sent before come first. One that lost a worker at this agent lets others pass, if there are any: the
// next attempt elsewhere tells a bad call from a bad node.
COROLITH_DECL std::uint32_t core::next_call(batch_record& batch, std::uint32_t agent) {
  auto& again = batch.requeued;
  const auto waits = [&](std::uint32_t index) {
    const call_record* call = batch.calls.find(index);
    return call != nullptr && call->state == call_state::waiting;
  };
  while (!again.empty() && !waits(again.back())) again.pop_back();  // cancelled meanwhile
  const std::size_t looked_at = std::min<std::size_t>(again.size(), 64);
  for (std::size_t back = 1; back <= looked_at; ++back) {
    const std::uint32_t index = again[again.size() - back];
    if (!waits(index) || (agent != no_slot && batch.calls.find(index)->agent == agent)) continue;
    again.erase(again.end() - static_cast<std::ptrdiff_t>(back));
    return index;
  }
  while (batch.fresh < batch.calls.size())
    if (waits(batch.fresh++)) return batch.fresh - 1;
  const std::uint32_t index = again.back();
  again.pop_back();
  return index;
}

// When calls wait that fit nowhere although an empty agent could run them, smaller ones must not take every cpu that
// becomes free. The shape that is next in turn gets an agent of its own until it fits there. If that takes long,
// another agent is tried, with more patience each time. An agent with room for it is no use: its calls avoid that one.
COROLITH_DECL void core::reserve() {
  const std::uint32_t top = live_shapes < 2 ? no_slot : best_shape(true);
  if (top == no_slot) return unreserve();
  shape_record& shape = shapes[top];
  const bool kept_is_good = shape.kept_agent != no_slot && agents[shape.kept_agent].alive &&
                            !agents[shape.kept_agent].draining && !agents[shape.kept_agent].resting &&
                            could_ever_fit(shape.need, agents[shape.kept_agent].total) &&
                            !has_room(top, agents[shape.kept_agent]);
  if (!kept_is_good || now - shape.kept_since > shape.patience) {
    const std::uint32_t chosen = choose_reserved(top);
    if (chosen != no_slot) {
      shape.kept_agent = chosen;
    } else if (!kept_is_good) {
      return unreserve();
    }
    shape.kept_since = now;
    shape.patience = std::max(config.recall_after_ns, shape.patience * 2);
  }
  if (reserved_shape == top && reserved_agent == shape.kept_agent) return;
  unreserve();
  reserved_shape = top;
  reserved_agent = shape.kept_agent;
  refresh(reserved_agent);
}

COROLITH_DECL void core::unreserve() {
  const std::uint32_t slot = reserved_agent;
  reserved_shape = reserved_agent = no_slot;
  if (slot != no_slot) refresh(slot);
}

// The agent with most room that could run the shape, but not the one that was kept for it last.
COROLITH_DECL std::uint32_t core::choose_reserved(std::uint32_t top) const noexcept {
  const shape_record& shape = shapes[top];
  std::uint32_t best = no_slot;
  for (std::uint32_t slot = 0; slot < agents.size(); ++slot) {
    const agent_record& agent = agents[slot];
    if (!agent.alive || agent.draining || agent.resting || agent.on_trial || slot == shape.kept_agent) continue;
    if (!could_ever_fit(shape.need, agent.total) || has_room(top, agent)) continue;
    if (best == no_slot || agent.free.cpus > agents[best].free.cpus) best = slot;
  }
  return best;
}

}  // namespace corolith::inline v0::schedule::detail
