// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/scheduler.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace corolith::inline v0::schedule {

struct scheduler::state {
  struct call_state {
    agent_id agent = 0;
    std::uint32_t attempt = 0;
    std::uint32_t failures = 0;
    std::uint32_t losses = 0;
    bool sent = false;
    bool cancelled = false;
    bool blocked = false;
  };
  struct batch_state {
    batch_options options;
    std::map<std::uint32_t, call_state> calls;
    std::deque<std::uint32_t> waiting;
    std::set<agent_id> opened;
    std::uint32_t input = 0;
    std::uint64_t outstanding = 0;
    std::uint64_t wanted = 0;
    bool input_ended = false;
    bool done = false;
    bool removed = false;
  };
  struct agent_state {
    resources total;
    std::uint32_t used = 0;
    bool draining = false;
  };
  settings config;
  std::map<batch_id, batch_state> batches;
  std::map<agent_id, agent_state> agents;
  std::vector<command> queued, taken;

  call_state* find(agent_id agent, const call_id& id) {
    auto b = batches.find(id.batch);
    if (b == batches.end()) return nullptr;
    auto c = b->second.calls.find(id.index);
    if (c == b->second.calls.end() || !c->second.sent) return nullptr;
    return c->second.agent == agent && c->second.attempt == id.attempt ? &c->second : nullptr;
  }
  void release(call_state& call, const batch_state& batch) {
    auto a = agents.find(call.agent);
    if (a != agents.end() && !call.blocked) a->second.used -= std::max(1u, batch.options.need.cpus);
    call.sent = call.blocked = false;
  }
  void fail(batch_id batch, std::uint32_t index, fail_reason reason) {
    auto& b = batches[batch];
    const auto attempt = b.calls[index].attempt;
    if (!b.removed) queued.push_back({command_kind::fail, reason, 0, 0, {batch, index, attempt}});
    b.calls.erase(index);
  }
  void requeue(batch_id batch, std::uint32_t index) {
    auto& b = batches[batch];
    if (b.calls[index].cancelled) return fail(batch, index, fail_reason::cancelled);
    b.waiting.push_front(index);
  }
};

COROLITH_DECL scheduler::scheduler(const settings& config) : state_(std::make_unique<state>()) { state_->config = config; }
COROLITH_DECL scheduler::~scheduler() = default;
COROLITH_DECL scheduler::scheduler(scheduler&&) noexcept = default;
COROLITH_DECL scheduler& scheduler::operator=(scheduler&&) noexcept = default;

COROLITH_DECL void scheduler::agent_joined(agent_id agent, const resources& total) { state_->agents[agent].total = total; }
COROLITH_DECL void scheduler::agent_lost(agent_id agent) {
  state_->agents.erase(agent);
  for (auto& [id, b] : state_->batches) {
    b.opened.erase(agent);
    std::vector<std::uint32_t> lost;
    for (auto& [index, call] : b.calls)
      if (call.sent && call.agent == agent) lost.push_back(index);
    for (auto index = lost.rbegin(); index != lost.rend(); ++index) {
      state_->release(b.calls[*index], b);
      state_->requeue(id, *index);
    }
  }
}
COROLITH_DECL void scheduler::agent_draining(agent_id agent) {
  auto a = state_->agents.find(agent);
  if (a != state_->agents.end()) a->second.draining = true;
}
COROLITH_DECL void scheduler::capacity_final(bool) {}

COROLITH_DECL void scheduler::batch_added(batch_id batch, const batch_options& options) {
  state_->batches[batch].options = options;
}
COROLITH_DECL std::uint32_t scheduler::input_available(batch_id batch, std::uint32_t count) {
  auto b = state_->batches.find(batch);
  if (b == state_->batches.end() || b->second.input_ended) return 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    b->second.calls[b->second.input];
    b->second.waiting.push_back(b->second.input++);
  }
  b->second.outstanding += count;
  b->second.wanted -= std::min<std::uint64_t>(b->second.wanted, count);
  return count;
}
COROLITH_DECL void scheduler::input_ended(batch_id batch) {
  auto b = state_->batches.find(batch);
  if (b != state_->batches.end()) b->second.input_ended = true;
}
COROLITH_DECL void scheduler::consumed(batch_id batch, std::uint32_t count) {
  auto b = state_->batches.find(batch);
  if (b != state_->batches.end()) b->second.outstanding -= std::min<std::uint64_t>(b->second.outstanding, count);
}
COROLITH_DECL void scheduler::batch_removed(batch_id batch) {
  auto b = state_->batches.find(batch);
  if (b == state_->batches.end()) return;
  b->second.removed = true;
  cancel_batch(batch);
}

COROLITH_DECL void scheduler::started(agent_id, const call_id&) {}
COROLITH_DECL verdict scheduler::finished(agent_id agent, const call_id& id, outcome_kind kind, std::int64_t, std::int64_t) {
  auto* call = state_->find(agent, id);
  if (call == nullptr) return verdict::stale;
  auto& b = state_->batches[id.batch];
  state_->release(*call, b);
  const bool lost = kind == outcome_kind::worker_lost;
  const bool costs =
      kind == outcome_kind::exception || kind == outcome_kind::timeout || kind == outcome_kind::memory;
  if (kind == outcome_kind::cancelled || (lost && call->cancelled)) {
    state_->fail(id.batch, id.index, fail_reason::cancelled);
    return verdict::failed;
  }
  if (lost && ++call->losses >= state_->config.poison_after) {
    state_->fail(id.batch, id.index, fail_reason::poison);
    return verdict::failed;
  }
  if (lost || (costs && !call->cancelled && call->failures++ < b.options.retries)) {
    state_->requeue(id.batch, id.index);
    return verdict::retry;
  }
  b.calls.erase(id.index);
  return b.removed ? verdict::stale : verdict::deliver;
}
COROLITH_DECL void scheduler::returned(agent_id agent, const call_id& id) {
  auto* call = state_->find(agent, id);
  if (call == nullptr) return;
  state_->release(*call, state_->batches[id.batch]);
  state_->requeue(id.batch, id.index);
}
COROLITH_DECL void scheduler::blocked(agent_id agent, const call_id& id) {
  auto* call = state_->find(agent, id);
  if (call == nullptr || call->blocked) return;
  state_->release(*call, state_->batches[id.batch]);
  call->sent = call->blocked = true;
}
COROLITH_DECL void scheduler::unblocked(agent_id agent, const call_id& id) {
  auto* call = state_->find(agent, id);
  if (call == nullptr || !call->blocked) return;
  call->blocked = false;
  state_->agents[agent].used += std::max(1u, state_->batches[id.batch].options.need.cpus);
}

COROLITH_DECL void scheduler::cancel_call(batch_id batch, std::uint32_t index) {
  auto b = state_->batches.find(batch);
  if (b == state_->batches.end()) return;
  auto c = b->second.calls.find(index);
  if (c == b->second.calls.end() || c->second.cancelled) return;
  c->second.cancelled = true;
  if (c->second.sent) {
    state_->queued.push_back({command_kind::cancel, {}, 0, c->second.agent, {batch, index, c->second.attempt}});
    return;
  }
  std::erase(b->second.waiting, index);
  state_->fail(batch, index, fail_reason::cancelled);
}
COROLITH_DECL void scheduler::cancel_batch(batch_id batch) {
  auto b = state_->batches.find(batch);
  if (b == state_->batches.end()) return;
  b->second.input_ended = true;
  std::vector<std::uint32_t> all;
  for (auto& [index, call] : b->second.calls) all.push_back(index);
  for (auto index : all) cancel_call(batch, index);
}

COROLITH_DECL void scheduler::tick(std::int64_t) {}
COROLITH_DECL bool scheduler::wants_tick() const { return false; }

COROLITH_DECL std::vector<command>& scheduler::take_commands() {
  auto& s = *state_;
  for (auto& [id, b] : s.batches) {
    const auto need = std::max(1u, b.options.need.cpus);
    for (auto& [aid, a] : s.agents) {
      while (!a.draining && !b.waiting.empty() && a.used + need <= a.total.cpus) {
        const auto index = b.waiting.front();
        b.waiting.pop_front();
        auto& call = b.calls[index];
        call.agent = aid;
        call.sent = true;
        a.used += need;
        if (b.opened.insert(aid).second) s.queued.push_back({command_kind::open_batch, {}, 0, aid, {id, 0, 0}});
        s.queued.push_back({command_kind::send, {}, 0, aid, {id, index, ++call.attempt}});
      }
    }
    if (!b.input_ended && b.outstanding + b.wanted < s.config.input_window) {
      const auto count = s.config.input_window - b.outstanding - b.wanted;
      b.wanted += count;
      s.queued.push_back({command_kind::want_input, {}, static_cast<std::uint32_t>(count), 0, {id, 0, 0}});
    }
    if (b.input_ended && b.calls.empty() && !b.done) {
      for (auto aid : b.opened) s.queued.push_back({command_kind::close_batch, {}, 0, aid, {id, 0, 0}});
      if (!b.removed) s.queued.push_back({command_kind::batch_done, {}, 0, 0, {id, 0, 0}});
      b.done = true;
    }
  }
  std::erase_if(s.batches, [](const auto& entry) { return entry.second.done && entry.second.removed; });
  s.taken.clear();
  std::swap(s.taken, s.queued);
  return s.taken;
}

COROLITH_DECL batch_counts scheduler::counts(batch_id batch) const {
  auto b = state_->batches.find(batch);
  if (b == state_->batches.end()) return {};
  const std::uint64_t live = b->second.calls.size(), waiting = b->second.waiting.size();
  return {b->second.input, waiting, live - waiting, b->second.input - live};
}
COROLITH_DECL agent_load scheduler::load(agent_id) const { return {}; }

}  // namespace corolith::inline v0::schedule
