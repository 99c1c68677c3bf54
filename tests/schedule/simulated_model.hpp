// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>

#include <corolith/schedule/scheduler.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

namespace schedule_test {

using namespace corolith::schedule;
using corolith::call_id;

/// What must be true of the scheduler, told from its events and commands alone.
class model {
 public:
  /// With `exclusive` no batch is sent ahead, so resources must never be given twice. With `calm` no agent is ever
  /// unwell.
  model(scheduler& subject, const settings& config, bool exclusive, bool calm)
      : scheduler_(subject), config_(config), exclusive_(exclusive), calm_(calm) {}

  // events
  void agent_joined(agent_id id, const resources& total) {
    agents_[id] = {total};
    cpus_ += total.cpus;
    most_cpus_ = std::max(most_cpus_, cpus_);
  }
  void agent_draining(agent_id id) { agents_[id].draining = true; }
  void agent_lost(agent_id id) {
    cpus_ -= agents_[id].total.cpus;
    agents_.erase(id);
    for (auto& [name, b] : batches_) {
      b.opened.erase(id);
      for (auto& [index, c] : b.calls)
        if (c.at == id) c.at = 0, c.blocked = false;
      if (b.removed) std::erase_if(b.calls, [](const auto& entry) { return entry.second.at == 0; });
    }
  }
  void batch_added(batch_id id, const batch_options& options) { batches_[id].options = options; }
  void input_available(batch_id id, std::uint32_t offered, std::uint32_t accepted) {
    auto b = batches_.find(id);
    if (b == batches_.end() || b->second.input_ended || b->second.done) {
      REQUIRE(accepted == 0);
      return;
    }
    REQUIRE(accepted == offered);
    for (std::uint32_t i = 0; i < accepted; ++i) b->second.calls[b->second.input++];
    b->second.wanted -= accepted;
    b->second.outstanding += accepted;
    // Backpressure: bounded by the setting, or by what the largest set of agents so far could use.
    REQUIRE(b->second.outstanding <= std::max<std::uint64_t>(config_.input_window, 4 * most_cpus_));
  }
  void input_ended(batch_id id) {
    if (batch_state* b = live(id)) b->input_ended = true;
  }
  void consumed(batch_id id) {
    if (batch_state* b = live(id)) --b->outstanding;
  }
  void cancel_call(batch_id id, std::uint32_t index) {
    batch_state* b = live(id);
    if (b == nullptr) return;
    auto c = b->calls.find(index);
    if (c != b->calls.end()) c->second.cancelled = true;
  }
  void cancel_batch(batch_id id) {
    batch_state* b = live(id);
    if (b == nullptr) return;
    b->input_ended = true;
    for (auto& [index, c] : b->calls) c.cancelled = true;
  }
  void batch_removed(batch_id id) {
    batch_state* b = live(id);
    if (b == nullptr) return;
    cancel_batch(id);
    b->removed = true;
    // What was never sent is gone in silence.
    std::erase_if(b->calls, [](const auto& entry) { return entry.second.at == 0; });
  }
  void blocked(agent_id agent, const call_id& id, bool blocked) {
    if (call_state* c = at(agent, id)) c->blocked = blocked;
  }
  void returned(agent_id agent, const call_id& id) {
    if (call_state* c = at(agent, id)) leave(*c, id);
  }

  /// The verdict that finished() has to give.
  verdict expected(agent_id agent, const call_id& id, outcome_kind kind) {
    call_state* c = at(agent, id);
    if (c == nullptr || batches_[id.batch].removed) return verdict::stale;
    const bool costs = kind == outcome_kind::exception || kind == outcome_kind::timeout || kind == outcome_kind::memory;
    if (kind == outcome_kind::cancelled) return verdict::failed;
    if (kind == outcome_kind::worker_lost)
      return c->cancelled || c->losses + 1 >= config_.poison_after ? verdict::failed : verdict::retry;
    return costs && !c->cancelled && c->failures < batches_[id.batch].options.retries ? verdict::retry
                                                                                      : verdict::deliver;
  }
  void finished(agent_id agent, const call_id& id, outcome_kind kind, verdict given) {
    call_state* c = at(agent, id);
    if (c == nullptr) return;
    if (given == verdict::retry) ++(kind == outcome_kind::worker_lost ? c->losses : c->failures);
    if (given == verdict::failed) c->must_fail = true;
    leave(*c, id);
    if (given == verdict::deliver) batches_[id.batch].calls.erase(id.index);  // a second one would not be found
  }

  // commands
  void command(const corolith::schedule::command& c) {
    REQUIRE(batches_.contains(c.id.batch));
    batch_state& b = batches_[c.id.batch];
    REQUIRE_FALSE(b.done);
    switch (c.kind) {
      case command_kind::want_input:
        REQUIRE(c.count > 0);
        REQUIRE_FALSE(b.input_ended);
        b.wanted += c.count;
        REQUIRE(b.outstanding + b.wanted <= std::max<std::uint64_t>(config_.input_window, 4 * most_cpus_));
        break;
      case command_kind::open_batch:
        REQUIRE(agents_.contains(c.agent));
        REQUIRE(b.opened.insert(c.agent).second);
        break;
      case command_kind::close_batch:
        REQUIRE(b.calls.empty());
        REQUIRE(b.input_ended);
        REQUIRE(b.opened.erase(c.agent) == 1);
        break;
      case command_kind::send:
        send(b, c);
        break;
      case command_kind::cancel:  // its call may have ended since the scheduler decided
        if (const call_state* named = at(c.agent, c.id)) REQUIRE(named->cancelled);
        break;
      case command_kind::recall:
        REQUIRE(c.id.attempt > 0);
        break;
      case command_kind::fail:
        fail(b, c);
        break;
      case command_kind::batch_done:
        REQUIRE(b.input_ended);
        REQUIRE_FALSE(b.removed);
        REQUIRE(b.calls.empty());
        REQUIRE(b.opened.empty());
        b.done = true;
        break;
    }
  }

  // states
  void check_agents() {
    std::map<agent_id, resources> used;
    std::map<agent_id, std::uint32_t> calls;
    for (auto& [id, b] : batches_)
      for (auto& [index, c] : b.calls) {
        if (c.at == 0) continue;
        ++calls[c.at];
        if (c.blocked) continue;
        resources& u = used.try_emplace(c.at, resources{0, 0, 0}).first->second;
        u = {u.cpus + b.options.need.cpus, u.gpus + b.options.need.gpus, u.memory + b.options.need.memory};
      }
    for (auto& [id, a] : agents_) {
      const agent_load load = scheduler_.load(id);
      const resources& u = used.try_emplace(id, resources{0, 0, 0}).first->second;
      const auto counted = calls.find(id);
      REQUIRE(load.calls == (counted == calls.end() ? 0 : counted->second));
      REQUIRE(load.idle_cpus == static_cast<std::int64_t>(a.total.cpus) - static_cast<std::int64_t>(u.cpus));
      if (!exclusive_ || !sent_to_.contains(id)) continue;
      REQUIRE(u.cpus <= a.total.cpus);
      REQUIRE(u.gpus <= a.total.gpus);
      REQUIRE((a.total.memory == 0 || u.memory <= a.total.memory));
    }
    sent_to_.clear();
    if (!calm_ || !calls.empty()) return;
    // Nothing is anywhere, so nothing may wait.
    for (auto& [id, b] : batches_) REQUIRE(b.calls.empty());
  }
  bool all_done() const {
    return std::all_of(batches_.begin(), batches_.end(), [](const auto& entry) {
      const batch_state& b = entry.second;
      return b.done || (b.removed && b.calls.empty());
    });
  }
  void check_idle() {
    for (auto& [id, a] : agents_) {
      const agent_load load = scheduler_.load(id);
      REQUIRE(load.calls == 0);
      REQUIRE(load.blocked == 0);
      REQUIRE(load.idle_cpus == a.total.cpus);
      REQUIRE(load.cpus == 0);
    }
  }

 private:
  struct agent_state {
    resources total;
    bool draining = false;
  };
  struct call_state {
    agent_id at = 0;
    std::uint32_t attempt = 0;
    std::uint32_t failures = 0, losses = 0;
    bool cancelled = false, blocked = false, must_fail = false;
  };
  struct batch_state {
    batch_options options;
    std::map<std::uint32_t, call_state> calls;  // that have not ended
    std::set<agent_id> opened;
    std::uint32_t input = 0;
    std::uint64_t outstanding = 0, wanted = 0;
    bool input_ended = false, done = false, removed = false;
  };

  batch_state* live(batch_id id) {
    auto b = batches_.find(id);
    return b == batches_.end() || b->second.done || b->second.removed ? nullptr : &b->second;
  }
  call_state* at(agent_id agent, const call_id& id) {
    auto b = batches_.find(id.batch);
    if (b == batches_.end()) return nullptr;
    auto c = b->second.calls.find(id.index);
    const bool there = c != b->second.calls.end() && c->second.at == agent && c->second.attempt == id.attempt;
    return there ? &c->second : nullptr;
  }
  void leave(call_state& c, const call_id& id) {
    c.at = 0;
    c.blocked = false;
    if (batches_[id.batch].removed) batches_[id.batch].calls.erase(id.index);
  }
  void send(batch_state& b, const corolith::schedule::command& c) {
    REQUIRE_FALSE(b.removed);
    REQUIRE(agents_.contains(c.agent));
    REQUIRE_FALSE(agents_[c.agent].draining);
    REQUIRE(b.opened.contains(c.agent));
    REQUIRE(b.calls.contains(c.id.index));  // it has not ended
    call_state& sent = b.calls[c.id.index];
    REQUIRE(sent.at == 0);
    REQUIRE_FALSE(sent.cancelled);
    REQUIRE_FALSE(sent.must_fail);
    REQUIRE(c.id.attempt == sent.attempt + 1);
    sent.at = c.agent;
    sent.attempt = c.id.attempt;
    sent_to_.insert(c.agent);
    // It was sent into a window that had room for it.
    REQUIRE(scheduler_.load(c.agent).cpus <= agents_[c.agent].total.cpus + 1e-6);
  }
  void fail(batch_state& b, const corolith::schedule::command& c) {
    if (b.removed) return;  // it failed before that
    REQUIRE(b.calls.contains(c.id.index));
    const call_state& failed = b.calls[c.id.index];
    REQUIRE(failed.at == 0);
    REQUIRE(failed.attempt == c.id.attempt);
    if (c.reason == fail_reason::poison)
      REQUIRE(failed.losses + 1 == config_.poison_after);
    else
      REQUIRE(c.reason == fail_reason::cancelled);
    REQUIRE((failed.cancelled || failed.must_fail));
    b.calls.erase(c.id.index);
  }

  scheduler& scheduler_;
  settings config_;
  std::map<agent_id, agent_state> agents_;
  std::map<batch_id, batch_state> batches_;
  std::set<agent_id> sent_to_;  // in this round
  std::uint64_t cpus_ = 0, most_cpus_ = 0;
  bool exclusive_ = false, calm_ = false;
};

}  // namespace schedule_test
