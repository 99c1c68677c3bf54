// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/scheduler.hpp>

#include <corolith/schedule/detail/core.hpp>
#include <corolith/schedule/retry.hpp>

#include <algorithm>
#include <utility>

namespace corolith::inline v0::schedule {

COROLITH_DECL scheduler::scheduler(const settings& config) : core_(std::make_unique<detail::core>()) {
  core_->config = config;
}
COROLITH_DECL scheduler::~scheduler() = default;
COROLITH_DECL scheduler::scheduler(scheduler&&) noexcept = default;
COROLITH_DECL scheduler& scheduler::operator=(scheduler&&) noexcept = default;

COROLITH_DECL void scheduler::agent_joined(agent_id agent, const resources& total) { core_->add_agent(agent, total); }

COROLITH_DECL void scheduler::agent_lost(agent_id agent) {
  if (const auto slot = core_->agent_slots.find(agent); slot != detail::no_slot) core_->remove_agent(slot);
}

COROLITH_DECL void scheduler::agent_draining(agent_id agent) {
  if (const auto slot = core_->agent_slots.find(agent); slot != detail::no_slot)
    core_->drain_agent(core_->agents[slot]);
}

COROLITH_DECL void scheduler::capacity_final(bool final) { core_->final = final; }

COROLITH_DECL void scheduler::batch_added(batch_id batch, const batch_options& options) {
  core_->add_batch(batch, options);
}

COROLITH_DECL std::uint32_t scheduler::input_available(batch_id id, std::uint32_t count, std::uint64_t largest_bytes) {
  detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr || batch->input_ended || count > 0xffffffffu - batch->calls.size()) return 0;
  if (largest_bytes > batch->largest_bytes) {
    batch->largest_bytes = largest_bytes;
    core_->update_depth(*batch);
  }
  batch->calls.append(count, core_->pages);
  batch->waiting += count;
  batch->outstanding += count;
  batch->wanted -= std::min<std::uint64_t>(batch->wanted, count);
  core_->rank(*batch);
  return count;
}

COROLITH_DECL void scheduler::input_skipped(batch_id id, std::uint32_t count) {
  detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr || batch->input_ended || count > 0xffffffffu - batch->calls.size()) return;
  batch->calls.append_ended(count, core_->pages);
}

COROLITH_DECL void scheduler::input_ended(batch_id id) {
  detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr) return;
  batch->input_ended = true;
  core_->touch(*batch);
}

COROLITH_DECL void scheduler::consumed(batch_id id, std::uint32_t count) {
  detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr) return;
  batch->outstanding -= std::min<std::uint64_t>(batch->outstanding, count);
  if (!batch->input_ended && batch->outstanding + batch->wanted <= batch->window - batch->window / 4)
    core_->touch(*batch);
}

COROLITH_DECL void scheduler::batch_removed(batch_id id) {
  detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr) return;
  batch->removed = true;
  core_->cancel_all(*batch);
}

COROLITH_DECL void scheduler::started(agent_id agent, const call_id& id) {
  if (const auto at = core_->locate(agent, id)) {
    core_->note_start(*at.agent, *at.batch, *at.call);
    at.agent->progressed = true;
  }
}

COROLITH_DECL verdict scheduler::finished(agent_id agent, const call_id& id, outcome_kind kind,
                                          std::int64_t duration_ns, std::int64_t now_ns) {
  const auto at = core_->locate(agent, id);
  core_->now = std::max(core_->now, now_ns);
  if (!at) return verdict::stale;
  detail::batch_record& batch = *at.batch;
  detail::call_record& call = *at.call;
  core_->release(*at.agent, batch, call);
  core_->judge_agent(*at.agent, kind);
  if (kind == outcome_kind::value || kind == outcome_kind::exception) {
    batch.estimate.add(duration_ns);
    core_->update_depth(batch);
  }
  const bool removed = batch.removed;
  switch (
      judge(kind, {call.failures, call.losses, call.cancelled}, batch.options.retries, core_->config.poison_after)) {
    case consequence::deliver:
      core_->end(batch, id.index);
      core_->rank(batch);
      return removed ? verdict::stale : verdict::deliver;
    case consequence::retry_at_cost:
      ++call.failures;
      call.agent = detail::no_slot;
      core_->requeue(batch, id.index, call);
      return verdict::retry;
    case consequence::retry_free:  // call.agent stays: the next attempt avoids it
      ++call.losses;
      core_->requeue(batch, id.index, call);
      return verdict::retry;
    case consequence::fail_poison: core_->fail(batch, id.index, call, fail_reason::poison); break;
    case consequence::fail_cancelled: core_->fail(batch, id.index, call, fail_reason::cancelled); break;
  }
  return removed ? verdict::stale : verdict::failed;
}

COROLITH_DECL void scheduler::returned(agent_id agent, const call_id& id) {
  const auto at = core_->locate(agent, id);
  if (!at) return;
  core_->release(*at.agent, *at.batch, *at.call);
  at.call->agent = detail::no_slot;
  core_->requeue(*at.batch, id.index, *at.call);
}

COROLITH_DECL void scheduler::blocked(agent_id agent, const call_id& id) {
  const auto at = core_->locate(agent, id);
  if (!at || at.call->blocked) return;
  core_->note_start(*at.agent, *at.batch, *at.call);
  at.call->blocked = true;
  at.agent->free += core_->cost_of(*at.batch, at.call->depth);
  at.agent->unused += at.batch->entire;
  core_->count_lasting(*at.agent, *at.batch, *at.call, false);
  ++at.agent->blocked;
  core_->mark_dirty(*at.agent);
}

COROLITH_DECL void scheduler::unblocked(agent_id agent, const call_id& id) {
  const auto at = core_->locate(agent, id);
  if (!at || !at.call->blocked) return;
  at.call->blocked = false;
  at.agent->free -= core_->cost_of(*at.batch, at.call->depth);
  at.agent->unused -= at.batch->entire;
  core_->count_lasting(*at.agent, *at.batch, *at.call, true);
  --at.agent->blocked;
  core_->mark_dirty(*at.agent);
}

COROLITH_DECL void scheduler::cancel_call(batch_id id, std::uint32_t index) {
  detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr) return;
  if (detail::call_record* call = batch->calls.find(index)) core_->cancel(*batch, index, *call);
}

COROLITH_DECL void scheduler::cancel_batch(batch_id id) {
  if (detail::batch_record* batch = core_->find_batch(id)) core_->cancel_all(*batch);
}

COROLITH_DECL void scheduler::tick(std::int64_t now_ns) { core_->pass_time(now_ns); }

COROLITH_DECL bool scheduler::wants_tick() const {
  if (core_->total_sent > 0 && core_->agent_slots.size() > 1) return true;
  return std::any_of(core_->agents.begin(), core_->agents.end(),
                     [](const detail::agent_record& agent) { return agent.alive && agent.resting; });
}

COROLITH_DECL std::vector<command>& scheduler::take_commands() {
  core_->dispatch();
  core_->make_way();
  core_->recall_ahead();
  core_->recall_queued();
  core_->settle_touched();
  core_->taken.clear();
  std::swap(core_->taken, core_->queued);
  return core_->taken;
}

COROLITH_DECL batch_counts scheduler::counts(batch_id id) const {
  const detail::batch_record* batch = core_->find_batch(id);
  if (batch == nullptr) return {};
  const std::uint64_t input = batch->calls.size();
  return {input, batch->waiting, batch->sent, input - batch->waiting - batch->sent};
}

COROLITH_DECL agent_load scheduler::load(agent_id id) const {
  const std::uint32_t slot = core_->agent_slots.find(id);
  if (slot == detail::no_slot) return {};
  const detail::agent_record& agent = core_->agents[slot];
  const auto taken = static_cast<double>(detail::capacity_of(agent.total).cpus - agent.free.cpus);
  return {agent.calls, agent.blocked, taken / static_cast<double>(detail::whole), agent.idle_cpus()};
}

}  // namespace corolith::inline v0::schedule
