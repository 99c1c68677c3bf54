// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/core.hpp>

#include <algorithm>

namespace corolith::inline v0::schedule::detail {

COROLITH_DECL core::located core::locate(agent_id agent, const call_id& id) noexcept {
  const std::uint32_t slot = agent_slots.find(agent);
  batch_record* batch = find_batch(id.batch);
  if (slot == no_slot || batch == nullptr) return {};
  call_record* call = batch->calls.find(id.index);
  if (call == nullptr || call->state != call_state::sent || call->agent != slot || call->attempt != id.attempt)
    return {};
  return {batch, &agents[slot], call};
}

COROLITH_DECL void core::add_batch(batch_id id, const batch_options& options) {
  if (batch_slots.find(id) != no_slot) return;
  if (free_batches.empty()) {
    free_batches.push_back(static_cast<std::uint32_t>(batches.size()));
    batches.push_back(std::make_unique<batch_record>());
  }
  const std::uint32_t slot = free_batches.back();
  free_batches.pop_back();
  batch_record& batch = *batches[slot];
  batch.id = id;
  batch.slot = slot;
  batch.options = options;
  batch.options.need.cpus = std::max(1u, options.need.cpus);
  batch.options.priority = std::max(1u, options.priority);
  batch.entire = charge_of(batch.options.need, 1);
  batch_slots.insert(id, slot);
  if (options.function != 0)
    if (const std::uint32_t known = learnt_slots.find(options.function); known != no_slot) {
      batch.estimate = learnt[known];
      batch.estimate.soften();
    }
  batch.depth = depth_of(config, batch.options, batch.estimate, 0, 1);
  batch.key.served = ++served;
  enter_shape(batch);
  touch(batch);
}

// Finds or makes the shape of the batch's needs and present depth.
COROLITH_DECL void core::enter_shape(batch_record& batch) {
  const resources& need = batch.options.need;
  batch.cost = charge_of(need, batch.depth);
  std::uint32_t at = 0, unused = no_slot;
  for (; at < shapes.size(); ++at) {
    if (shapes[at].depth == batch.depth && shapes[at].need == need) break;
    if (shapes[at].batches == 0) unused = at;
  }
  if (at == shapes.size()) {
    // A few unused shapes stay, for programs that make one small batch after the other.
    if (unused != no_slot && shapes.size() >= 16) {
      at = unused;
      if (reserved_shape == at) unreserve();
    } else {
      shapes.emplace_back();
    }
    shape_record& shape = shapes[at];
    shape.need = need;
    shape.depth = batch.depth;
    shape.cost = batch.cost;
    shape.entire = charge_of(need, 1);
    shape.kept_agent = no_slot;
    shape.patience = 0;
    shape.fitting = 0;
    for (const agent_record& agent : agents)
      if (agent.alive && !agent.draining && could_ever_fit(need, agent.total)) ++shape.fitting;
  }
  batch.shape = at;
  if (shapes[at].batches++ == 0) ++live_shapes;
  if (batch.waiting > 0) shapes[at].ready.push(batch.slot, batch.key, batch.heap_place);
}

COROLITH_DECL void core::leave_shape(batch_record& batch) {
  shape_record& shape = shapes[batch.shape];
  if (batch.heap_place != no_slot) shape.ready.erase(batch.heap_place);
  if (--shape.batches == 0) --live_shapes;
  batch.shape = no_slot;
}

COROLITH_DECL void core::update_depth(batch_record& batch) {
  const std::uint32_t depth = depth_of(config, batch.options, batch.estimate, batch.largest_bytes, batch.depth);
  if (depth == batch.depth || batch.shape == no_slot) return;
  leave_shape(batch);
  batch.depth = depth;
  enter_shape(batch);
}

// Brings the batch's place among those with waiting calls up to date.
COROLITH_DECL void core::rank(batch_record& batch) {
  if (batch.shape == no_slot) return;
  batch.key.held = batch.options.priority == 1 ? batch.held : batch.held / batch.options.priority;
  fair_heap& ready = shapes[batch.shape].ready;
  if (batch.heap_place == no_slot) {
    if (batch.waiting > 0) ready.push(batch.slot, batch.key, batch.heap_place);
  } else if (batch.waiting == 0) {
    ready.erase(batch.heap_place);
  } else {
    ready.update(batch.heap_place, batch.key);
  }
}

COROLITH_DECL void core::touch(batch_record& batch) {
  if (batch.touched) return;
  batch.touched = true;
  touched_batches.push_back(batch.slot);
}

COROLITH_DECL void core::settle_touched() {
  for (std::size_t i = 0; i < touched_batches.size(); ++i) {
    batch_record& batch = *batches[touched_batches[i]];
    batch.touched = false;
    want_input(batch);
    if (batch.input_ended && batch.waiting == 0 && batch.sent == 0) finish_batch(batch);
  }
  touched_batches.clear();
}

COROLITH_DECL void core::want_input(batch_record& batch) {
  if (batch.input_ended) return;
  // The window must not leave slots empty on a large machine.
  batch.window = std::max<std::uint64_t>({1, config.input_window, 4 * total_cpus / batch.options.need.cpus});
  const std::uint64_t taken_up = batch.outstanding + batch.wanted;
  if (taken_up >= batch.window) return;
  const std::uint64_t room = batch.window - taken_up;
  const std::uint64_t left = 0xffffffffu - std::min<std::uint64_t>(0xffffffffu, batch.calls.size() + batch.wanted);
  // Asking for little pieces would cost the driver more than it gains.
  if (room < std::max<std::uint64_t>(1, batch.window / 4) || left == 0) return;
  const auto count = static_cast<std::uint32_t>(std::min(room, left));
  batch.wanted += count;
  queued.push_back({command_kind::want_input, fail_reason::none, count, 0, {batch.id, 0, 0}});
}

COROLITH_DECL void core::finish_batch(batch_record& batch) {
  if (!batch.done) {
    batch.done = true;
    leave_shape(batch);
    batch.opened.for_each([&](std::uint32_t agent) {
      queued.push_back({command_kind::close_batch, fail_reason::none, 0, agents[agent].id, {batch.id, 0, 0}});
    });
    if (!batch.removed) queued.push_back({command_kind::batch_done, fail_reason::none, 0, 0, {batch.id, 0, 0}});
    batch.calls.end_all(pages);
    batch.requeued.clear();
    batch.opened.clear();
    if (batch.options.function != 0 && batch.estimate.measured()) {
      std::uint32_t at = learnt_slots.find(batch.options.function);
      if (at == no_slot) {
        at = static_cast<std::uint32_t>(learnt.size());
        learnt.emplace_back();
        learnt_slots.insert(batch.options.function, at);
      }
      learnt[at] = batch.estimate;
    }
  }
  if (batch.removed) forget(batch);
}

COROLITH_DECL void core::forget(batch_record& batch) {
  const std::uint32_t slot = batch.slot;
  batch_slots.erase(batch.id);
  batch.calls.clear(pages);
  // What was allocated stays for the next batch in this slot.
  auto calls = std::move(batch.calls);
  auto requeued = std::move(batch.requeued);
  auto opened = std::move(batch.opened);
  batch = batch_record{};
  batch.calls = std::move(calls);
  batch.requeued = std::move(requeued);
  batch.opened = std::move(opened);
  free_batches.push_back(slot);
}

// Gives back what a sent call took from its agent.
COROLITH_DECL void core::release(agent_record& agent, batch_record& batch, call_record& call) {
  const charge cost = cost_of(batch, call.depth);
  const std::int64_t cpus = batch.options.need.cpus;
  if (call.recalled && !call.started) coming_back -= cpus;
  count_ahead(agent, call, false);
  if (call.blocked) {
    --agent.blocked;
    call.blocked = false;
  } else {
    agent.free += cost;
    agent.unused += batch.entire;
    if (call.lasts) count_lasting(agent, batch, call, false);
  }
  call.lasts = false;
  --agent.calls;
  agent.progressed = true;
  --batch.sent;
  --total_sent;
  batch.held -= cost.cpus;
  mark_dirty(agent);
}

// It runs, and has done so for a while: what was recalled does not come back.
COROLITH_DECL void core::note_start(agent_record& agent, const batch_record& batch, call_record& call) {
  if (call.started) return;
  call.started = true;
  if (call.recalled) coming_back -= batch.options.need.cpus;
  count_ahead(agent, call, false);
  if (call.lasts) return;
  call.lasts = true;
  count_lasting(agent, batch, call, true);
}

COROLITH_DECL void core::requeue(batch_record& batch, std::uint32_t index, call_record& call) {
  if (call.cancelled) return fail(batch, index, call, fail_reason::cancelled);
  call.state = call_state::waiting;
  batch.requeued.push_back(index);
  ++batch.waiting;
  rank(batch);
}

COROLITH_DECL void core::end(batch_record& batch, std::uint32_t index) {
  batch.calls.end(index, pages);
  if (batch.input_ended && batch.waiting == 0 && batch.sent == 0) touch(batch);
}

COROLITH_DECL void core::fail(batch_record& batch, std::uint32_t index, const call_record& call, fail_reason reason) {
  if (!batch.removed) queued.push_back({command_kind::fail, reason, 0, 0, {batch.id, index, call.attempt}});
  end(batch, index);
  rank(batch);
}

COROLITH_DECL void core::cancel(batch_record& batch, std::uint32_t index, call_record& call) {
  if (call.cancelled) return;
  call.cancelled = true;
  if (call.state == call_state::sent) {
    queued.push_back(
        {command_kind::cancel, fail_reason::none, 0, agents[call.agent].id, {batch.id, index, call.attempt}});
  } else {
    --batch.waiting;
    fail(batch, index, call, fail_reason::cancelled);
  }
}

COROLITH_DECL void core::cancel_all(batch_record& batch) {
  batch.input_ended = true;
  for (std::uint32_t i = batch.calls.next_live(0); i < batch.calls.size(); i = batch.calls.next_live(i + 1))
    cancel(batch, i, *batch.calls.find(i));
  touch(batch);
}

}  // namespace corolith::inline v0::schedule::detail
