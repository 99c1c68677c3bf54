// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>

#include "simulated_model.hpp"

#include <corolith/schedule/scheduler.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <vector>

namespace schedule_test {

struct world_options {
  bool exclusive = false;                 // no batch is sent ahead
  bool calm = false;                      // nothing goes wrong
  std::int64_t longest_ns = 200'000'000;  // of a call
  std::uint32_t most_calls = 200;         // of a batch
};

/// Driver, network and agents around a scheduler, in virtual time.
class world {
 public:
  world(std::uint64_t seed, const world_options& options)
      : options_(options),
        random_(seed),
        scheduler_(make_config()),
        model_(scheduler_, config_, options.exclusive, options.calm) {
    scheduler_.capacity_final(false);
    join({8, 2, std::uint64_t{8} << 30});  // never leaves, so everything can end
    batches_planned_ = 1 + pick(5);
    for (std::int64_t i = 0; i < batches_planned_; ++i) after(pick(300'000'000), [this] { add_batch(); });
    if (options_.calm) {
      join({4, 0, 0});
    } else {
      after(0, [this] { disturb(); });
    }
    after(0, [this] { tick(); });
  }

  std::size_t delivered = 0, failed = 0, sent = 0, returned = 0;

  void run() {
    std::size_t steps = 0;
    while (!events_.empty() && !(started_all() && model_.all_done())) {
      REQUIRE(++steps < 2'000'000);
      REQUIRE(now_ < 600'000'000'000);
      auto next = events_.top();
      events_.pop();
      now_ = next.when;
      next.act();
      if (pick(4) != 0) obey();  // several events often come before the scheduler is asked
    }
    obey();
  }

  void check_end() {
    REQUIRE(started_all());
    REQUIRE(model_.all_done());
    model_.check_idle();
  }

 private:
  struct event {
    std::int64_t when;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const event& o) const { return when != o.when ? when > o.when : order > o.order; }
  };
  struct running {
    call_id id;
    resources need;
    bool started = false;
    bool blocked = false;
  };
  struct agent {
    resources total;
    bool alive = true;
    std::deque<running> calls;
  };
  struct batch {
    batch_options options;
    std::uint32_t left = 0;
    std::uint32_t crashing = 0;  // every so-manieth call kills its worker
    bool started = false;
  };

  std::int64_t pick(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return !options_.calm && pick(100) < percent; }
  void after(std::int64_t delay, std::function<void()> act) { events_.push({now_ + delay, order_++, std::move(act)}); }
  std::int64_t latency() { return 10'000 + pick(200'000); }
  bool started_all() const { return batches_started_ == batches_planned_; }

  settings make_config() {
    config_.input_window = static_cast<std::uint32_t>(1 + pick(100));
    config_.max_depth = static_cast<std::uint32_t>(1 + pick(64));
    return config_;
  }

  // the driver
  void add_batch() {
    const batch_id id = next_batch_++;
    batch& b = batches_[id];
    b.options.need.cpus = static_cast<std::uint32_t>(pick(4) == 0 ? 1 + pick(8) : 1);
    b.options.need.gpus = pick(5) == 0 ? 1 : 0;
    b.options.need.memory = pick(4) == 0 ? static_cast<std::uint64_t>(1 + pick(8)) << 30 : 0;
    b.options.retries = static_cast<std::uint32_t>(pick(3));
    b.options.exclusive_dispatch = options_.exclusive || pick(6) == 0;
    b.options.chunk = pick(6) == 0 ? static_cast<std::uint32_t>(1 + pick(20)) : 0;
    b.options.priority = static_cast<std::uint32_t>(pick(4));
    b.left = static_cast<std::uint32_t>(pick(options_.most_calls));
    b.crashing = chance(20) ? static_cast<std::uint32_t>(5 + pick(20)) : 0;
    scheduler_.batch_added(id, b.options);
    model_.batch_added(id, b.options);
    ++batches_started_;
    if (chance(15)) after(pick(400'000'000), [this, id] { cancel_batch(id); });
    if (chance(10)) after(pick(400'000'000), [this, id] { remove_batch(id); });
    if (chance(40))
      for (int i = 0; i < 5; ++i) after(pick(400'000'000), [this, id] { cancel_call(id); });
  }
  void cancel_batch(batch_id id) {
    scheduler_.cancel_batch(id);
    model_.cancel_batch(id);
  }
  void remove_batch(batch_id id) {
    scheduler_.batch_removed(id);
    model_.batch_removed(id);
  }
  void cancel_call(batch_id id) {
    const auto index = static_cast<std::uint32_t>(pick(options_.most_calls));
    scheduler_.cancel_call(id, index);
    model_.cancel_call(id, index);
  }
  void give_input(batch_id id, std::uint32_t count) {
    batch& b = batches_[id];
    const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(std::min(b.left, count), 1 + pick(50)));
    const std::uint32_t accepted = scheduler_.input_available(id, n);
    model_.input_available(id, n, accepted);
    b.left -= n;
    if (b.left == 0) {
      scheduler_.input_ended(id);
      model_.input_ended(id);
    } else if (count > n) {
      after(pick(1'000'000), [this, id, more = count - n] { give_input(id, more); });
    }
  }
  void consume_later(batch_id id) {
    after(pick(30'000'000), [this, id] {
      model_.consumed(id);
      scheduler_.consumed(id, 1);
    });
  }
  void tick() {
    if (scheduler_.wants_tick()) scheduler_.tick(now_);
    if (!(started_all() && model_.all_done())) after(10'000'000, [this] { tick(); });
  }

  void obey() {
    for (const command& c : scheduler_.take_commands()) {
      model_.command(c);
      switch (c.kind) {
        case command_kind::want_input:
          after(pick(2'000'000), [this, id = c.id.batch, count = c.count] { give_input(id, count); });
          break;
        case command_kind::send:
          ++sent;
          after(latency(), [this, c] { receive(c.agent, c.id); });
          break;
        case command_kind::recall:
          after(latency(), [this, c] { receive_recall(c.agent, c.id); });
          break;
        case command_kind::cancel:
          after(latency(), [this, c] { receive_cancel(c.agent, c.id); });
          break;
        case command_kind::fail:
          ++failed;
          consume_later(c.id.batch);
          break;
        case command_kind::batch_done:
          after(pick(10'000'000), [this, id = c.id.batch] { remove_batch(id); });
          break;
        default:
          break;
      }
    }
    model_.check_agents();
  }

  // the agents
  void join(const resources& total) {
    const agent_id id = next_agent_++;
    agents_[id].total = total;
    scheduler_.agent_joined(id, total);
    model_.agent_joined(id, total);
  }
  void lose(agent_id id) {
    agents_[id].alive = false;
    scheduler_.agent_lost(id);
    model_.agent_lost(id);
  }
  // Agents other than the first come, drain and go.
  void disturb() {
    if (next_agent_ < 12 && pick(2) == 0)
      join({static_cast<std::uint32_t>(1 + pick(8)), static_cast<std::uint32_t>(pick(3)),
            pick(2) == 0 ? 0 : static_cast<std::uint64_t>(1 + pick(8)) << 30});
    for (auto& [id, a] : agents_) {
      if (id == 1 || !a.alive) continue;
      if (chance(10)) {
        scheduler_.agent_draining(id);
        model_.agent_draining(id);
      } else if (chance(15)) {
        lose(id);
      }
    }
    after(10'000'000 + pick(50'000'000), [this] { disturb(); });
  }

  agent* alive(agent_id id) {
    agent& a = agents_[id];
    return a.alive ? &a : nullptr;
  }
  running* find(agent_id id, const call_id& call) {
    agent* a = alive(id);
    if (a == nullptr) return nullptr;
    auto at = std::find_if(a->calls.begin(), a->calls.end(), [&](const running& r) { return r.id == call; });
    return at == a->calls.end() ? nullptr : &*at;
  }
  void receive(agent_id id, const call_id& call) {
    agent* a = alive(id);
    if (a == nullptr) return;
    a->calls.push_back({call, batches_[call.batch].options.need});
    start_what_fits(id);
  }
  void receive_recall(agent_id id, const call_id& call) {
    running* r = find(id, call);
    if (r == nullptr || r->started) return;
    give_back(id, call);
  }
  void receive_cancel(agent_id id, const call_id& call) {
    running* r = find(id, call);
    if (r == nullptr) return;
    if (!r->started || pick(2) == 0)
      end(id, call, pick(8) == 0 ? outcome_kind::worker_lost : outcome_kind::cancelled, 0);
  }
  void start_what_fits(agent_id id) {
    agent& a = agents_[id];
    resources used{0, 0, 0};
    for (const running& r : a.calls)
      if (r.started && !r.blocked)
        used = {used.cpus + r.need.cpus, used.gpus + r.need.gpus, used.memory + r.need.memory};
    for (running& r : a.calls) {
      if (r.started) continue;
      const resources with{used.cpus + r.need.cpus, used.gpus + r.need.gpus, used.memory + r.need.memory};
      if (with.cpus > a.total.cpus || with.gpus > a.total.gpus || (a.total.memory != 0 && with.memory > a.total.memory))
        break;
      used = with;
      start(id, r);
    }
  }
  void start(agent_id id, running& r) {
    r.started = true;
    const call_id call = r.id;
    if (pick(2) == 0) after(latency(), [this, id, call] { scheduler_.started(id, call); });
    const std::int64_t duration = 1 + pick(options_.longest_ns);
    if (chance(10)) after(duration / 4, [this, id, call] { block(id, call, true); });
    if (chance(10)) after(duration / 2, [this, id, call] { block(id, call, false); });
    const std::uint32_t crashing = batches_[call.batch].crashing;
    outcome_kind kind = outcome_kind::value;
    if (chance(10)) kind = static_cast<outcome_kind>(pick(8));
    if (crashing != 0 && call.index % crashing == 0) kind = outcome_kind::worker_lost;
    after(duration, [this, id, call, kind, duration] { end(id, call, kind, duration); });
  }
  void block(agent_id id, const call_id& call, bool blocked) {
    running* r = find(id, call);
    if (r == nullptr || r->blocked == blocked) return;
    r->blocked = blocked;
    after(latency(), [this, id, call, blocked] {
      blocked ? scheduler_.blocked(id, call) : scheduler_.unblocked(id, call);
      model_.blocked(id, call, blocked);
    });
    start_what_fits(id);
  }
  bool take_out(agent_id id, const call_id& call) {
    running* r = find(id, call);
    if (r == nullptr) return false;
    std::erase_if(agents_[id].calls, [&](const running& other) { return other.id == call; });
    return true;
  }
  void give_back(agent_id id, const call_id& call) {
    take_out(id, call);
    after(latency(), [this, id, call] {
      ++returned;
      scheduler_.returned(id, call);
      model_.returned(id, call);
    });
    start_what_fits(id);
  }
  // The result travels, perhaps twice; the agent may be gone before it arrives.
  void end(agent_id id, const call_id& call, outcome_kind kind, std::int64_t duration) {
    if (!take_out(id, call)) return;
    if (kind == outcome_kind::worker_lost && chance(50)) {  // the calls that were queued behind it come back
      std::vector<call_id> queued;
      for (const running& r : agents_[id].calls)
        if (!r.started) queued.push_back(r.id);
      for (const call_id& other : queued) give_back(id, other);
    }
    const int copies = chance(5) ? 2 : 1;
    for (int i = 0; i < copies; ++i)
      after(latency(), [this, id, call, kind, duration] {
        const verdict expected = model_.expected(id, call, kind);
        const verdict given = scheduler_.finished(id, call, kind, duration, now_);
        REQUIRE(given == expected);
        model_.finished(id, call, kind, given);
        if (given == verdict::deliver) {
          ++delivered;
          consume_later(call.batch);
        }
      });
    start_what_fits(id);
  }

  world_options options_;
  std::mt19937_64 random_;
  settings config_;
  scheduler scheduler_;
  model model_;
  std::priority_queue<event> events_;
  std::map<agent_id, agent> agents_;
  std::map<batch_id, batch> batches_;
  std::int64_t now_ = 0;
  std::uint64_t order_ = 0;
  agent_id next_agent_ = 1;
  batch_id next_batch_ = 1;
  std::int64_t batches_started_ = 0, batches_planned_ = 0;
};

}  // namespace schedule_test
