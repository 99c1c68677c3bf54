// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model.hpp"
#include "nodes.hpp"
#include "options.hpp"
#include "support.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace simulation {

/// Driver, network and agents around a scheduler, in virtual time. They follow the protocol, and are as unkind as it
/// lets them be. One world is one schedule: all of it follows from the seed.
class world {
 public:
  explicit world(std::uint64_t seed, bool trace = false)
      : random_(seed),
        config_(draw_settings(random_)),
        options_(draw_options(random_)),
        scheduler_(config_, trace),
        model_(scheduler_, config_, expected()),
        batches_(1),
        nodes_(1) {}

  std::uint64_t events = 0, delivered = 0, failed = 0, sent = 0, returned = 0;
  std::uint64_t digest = 1469598103934665603u;  // of all commands
  std::int64_t longest_turn() const { return model_.longest_turn; }
  double fullest() const { return model_.fullest; }

  /// Runs the schedule to its end; throws what did not hold.
  void run() {
    begin();
    while (!events_.empty() && !over()) {
      const event next = events_.pop();
      must(++events < 3'000'000 && next.when < 10'000'000'000'000, "every schedule ends");
      scheduler_.now = std::max(scheduler_.now, next.when);
      happen(next);
      model_.check();
      if (random_.pick(4) != 0) obey();  // several events often come before the scheduler is asked
    }
    obey();
    must(over(), "every batch ends");
    model_.check_end();
    if (options_.calm) must(failed == 0 && sent == delivered + returned, "in a calm world each call is sent once");
  }

 private:
  struct batch {
    batch_options options;
    std::uint32_t left = 0;       // elements that the driver still has
    std::uint32_t poisonous = 0;  // every so-manieth call kills its worker
    std::int64_t timeout = 0;
    std::uint32_t unread = 0;  // results that nobody took yet
    enum { at_once, late, in_lumps, never } reader = at_once;
    agent_id parent_agent = 0;  // of a nested batch
    call_id parent;
    std::uint32_t level = 0;
    bool reads = false;  // a lump is due
    bool removed = false;
  };

  expectations expected() const {
    expectations e;
    e.steady = !options_.final;
    e.longest_wait_ns = 3'000'000'000 + 40 * options_.longest_ns * (options_.slow != 0 ? 20 : 1);
    return e;
  }
  bool over() const { return batches_begun_ == options_.batches && model_.all_done(); }

  // --- the course of things
  // ----------------------------------------------------------------------------------------------
  void begin() {
    scheduler_.capacity_final(false);
    model_.capacity_final(false);
    join({8, 2, std::uint64_t{8} << 30}, false);
    for (std::uint32_t i = 0; i < options_.agents; ++i) join_some();
    for (std::uint32_t i = 0; i < options_.batches; ++i)
      after(random_.pick(options_.spread_ns), {.kind = happening::batch_begins});
    for (std::uint32_t i = 0; i < options_.more_agents; ++i)
      after(random_.pick(options_.unrest_ns), {.kind = happening::agent_joins});
    if (options_.leaving + options_.freezing != 0) after(0, {.kind = happening::unrest});
    if (options_.final) after(random_.pick(2 * options_.unrest_ns), {.kind = happening::final});
    after(0, {.kind = happening::tick});
  }

  void happen(const event& e) {
    switch (e.kind) {
      case happening::batch_begins:
        ++batches_begun_;
        add_batch(0, 0, {});
        break;
      case happening::input: give_input(e.id.batch, e.count); break;
      case happening::consumption: consume(e.id.batch); break;
      case happening::batch_cancelled:
        scheduler_.cancel_batch(e.id.batch);
        model_.cancel_batch(e.id.batch);
        break;
      case happening::call_cancelled:
        scheduler_.cancel_call(e.id.batch, e.id.index);
        model_.cancel_call(e.id.batch, e.id.index);
        break;
      case happening::batch_removed: remove(e.id.batch); break;
      case happening::tick:
        if (scheduler_.wants_tick()) scheduler_.tick();
        after(10'000'000, {.kind = happening::tick});
        break;
      case happening::agent_joins:
        if (!final_) join_some();
        break;
      case happening::agent_lost: lose(e.agent); break;
      case happening::unrest: disturb(); break;
      case happening::final:
        final_ = true;
        scheduler_.capacity_final(true);
        model_.capacity_final(true);
        break;
      case happening::stranger: greet_stranger(); break;
      default:
        if (e.kind < happening::first_at_driver) {
          at_node(e);
        } else {
          at_driver(e);
        }
    }
  }

  void after(std::int64_t delay, event e) {
    e.when = scheduler_.now + delay;
    events_.push(e);
  }
  std::int64_t latency() { return 10'000 + random_.pick(200'000); }
  bool chance(int percent) { return percent != 0 && random_.chance(percent); }

  // --- the driver
  // --------------------------------------------------------------------------------------------------------
  void add_batch(std::uint32_t level, agent_id parent_agent, const call_id& parent) {
    const batch_id id = batches_.size();
    batch& b = batches_.emplace_back();
    b.level = level;
    b.parent_agent = parent_agent;
    b.parent = parent;
    if (!options_.alike) {
      const std::uint32_t larger = options_.final ? 12 : 8;
      b.options.need.cpus = random_.pick(4) == 0 ? random_.pick32(larger + 1) : 1;
      b.options.need.gpus = random_.pick(5) == 0 ? 1 : 0;
      b.options.need.memory = random_.pick(4) == 0 ? (1 + random_.next() % larger) << 30 : 0;
      b.options.chunk = random_.pick(6) == 0 ? 1 + random_.pick32(20) : 0;
    }
    b.options.retries = random_.pick32(3);
    b.options.priority = random_.pick32(4);
    b.options.function = random_.pick(3) == 0 ? 1 + random_.next() % 3 : 0;
    if (chance(options_.failing)) b.timeout = 1 + random_.pick(options_.longest_ns);
    b.options.exclusive_dispatch = options_.exclusive || b.timeout != 0 || random_.pick(6) == 0;
    b.left = random_.pick32(level == 0 ? options_.most_calls : 4);
    if (chance(options_.poison)) b.poisonous = 2 + random_.pick32(20);
    if (options_.slow_readers && level == 0) b.reader = static_cast<decltype(b.reader)>(random_.pick(4));
    const bool asks_first = !chance(options_.eager) && level == 0;
    scheduler_.batch_added(id, b.options);
    model_.batch_added(id, b.options, asks_first);
    if (!asks_first) give_input(id, 0xffffffff);
    if (b.reader == batch::never) after(500'000'000 + random_.pick(1'000'000'000), of(happening::batch_removed, id));
    if (chance(options_.cancels)) after(random_.pick(400'000'000), of(happening::batch_cancelled, id));
    if (chance(options_.cancels) && level == 0) after(random_.pick(400'000'000), of(happening::batch_removed, id));
    if (chance(options_.cancels))
      for (int i = 0; i < 5; ++i) {
        event e = of(happening::call_cancelled, id);
        e.id.index = random_.pick32(options_.most_calls);
        after(random_.pick(400'000'000), e);
      }
    if (chance(options_.doubles)) after(random_.pick(400'000'000), {.kind = happening::stranger});
  }
  static event of(happening kind, batch_id id) { return {.kind = kind, .id = {id, 0, 0}}; }

  // Elements come in pieces, and fewer or more than were asked for.
  void give_input(batch_id id, std::uint32_t asked) {
    batch& b = batches_[id];
    const std::uint32_t n = asked == 0xffffffff ? b.left : std::min({b.left, asked, 1 + random_.pick32(50)});
    const std::uint64_t largest_bytes = random_.pick(16) == 0 ? std::uint64_t{1} << 30 : 100;
    const std::uint32_t accepted = scheduler_.input_available(id, n, largest_bytes);
    model_.input_available(id, n, accepted);
    b.left -= n;
    if (b.left == 0) {
      scheduler_.input_ended(id);
      model_.input_ended(id);
    } else if (asked > n) {
      event more = of(happening::input, id);
      more.count = asked - n;
      after(random_.pick(1'000'000), more);
    }
  }
  void ended(batch_id id) {
    batch& b = batches_[id];
    ++b.unread;
    if (b.reader == batch::never || (b.reader != batch::late && b.reads)) return;
    b.reads = true;
    after(b.reader == batch::at_once ? 0 : random_.pick(30'000'000), of(happening::consumption, id));
  }
  void consume(batch_id id) {
    batch& b = batches_[id];
    const std::uint32_t count = b.reader == batch::late ? 1 : b.unread;
    b.unread -= count;
    b.reads = false;
    scheduler_.consumed(id, count);
    model_.consumed(id, count);
  }
  void remove(batch_id id) {
    batch& b = batches_[id];
    if (b.removed) return;
    b.removed = true;
    scheduler_.batch_removed(id);
    model_.batch_removed(id);
    tell_parent(id);
  }
  void tell_parent(batch_id id) {
    const batch& b = batches_[id];
    if (b.level != 0) after(latency(), {.kind = happening::nested_over, .id = b.parent, .agent = b.parent_agent});
  }
  // What names nothing that there is must change nothing.
  void greet_stranger() {
    const agent_id agent = random_.pick(2) == 0 ? 9'000'000 : 1;
    const call_id id{random_.pick(2) == 0 ? 9'000'000u : 1u, 77'000'000 + random_.pick32(10), 1 + random_.pick32(2)};
    must(scheduler_.finished(agent, id, outcome_kind::worker_lost, 1) == verdict::stale, "strangers are stale");
    scheduler_.returned(agent, id);
    scheduler_.blocked(agent, id);
    scheduler_.cancel_call(id.batch, id.index);
    scheduler_.agent_lost(9'000'000);
    scheduler_.cancel_batch(9'000'000);
    must(scheduler_.input_available(9'000'000, 1, 1) == 0, "strangers are stale");
  }

  void obey() {
    for (const command& c : scheduler_.take_commands()) {
      digest = (digest ^ (static_cast<std::uint64_t>(c.kind) + c.id.batch * 31 + c.id.index * 1009u +
                          c.id.attempt * 7919u + c.agent * 104729 + c.count)) *
               1099511628211u;
      model_.command(c);
      switch (c.kind) {
        case command_kind::want_input: {
          event e = of(happening::input, c.id.batch);
          e.count = c.count;
          after(random_.pick(2'000'000), e);
          break;
        }
        case command_kind::send:
          ++sent;
          // It is taken back once: it may be again where a call that went on after a wait has taken its place.
          must(!options_.calm || c.id.attempt <= (options_.nesting == 0 ? 2 : 6), "no call goes to and fro");
          to_node(happening::call_arrives, c);
          break;
        case command_kind::recall: to_node(happening::recall_arrives, c); break;
        case command_kind::cancel: to_node(happening::cancel_arrives, c); break;
        case command_kind::fail:
          ++failed;
          ended(c.id.batch);
          break;
        case command_kind::batch_done:
          if (batches_[c.id.batch].level != 0) tell_parent(c.id.batch);
          if (random_.pick(8) != 0) after(random_.pick(10'000'000), of(happening::batch_removed, c.id.batch));
          break;
        default: break;
      }
    }
    model_.check_round();
  }

  // What agents say; also what they said before they were lost, or after they were given up.
  void at_driver(const event& e) {
    switch (e.kind) {
      case happening::started_comes: scheduler_.started(e.agent, e.id); break;
      case happening::returned_comes:
        ++returned;
        scheduler_.returned(e.agent, e.id);
        model_.returned(e.agent, e.id);
        break;
      case happening::blocked_comes:
        scheduler_.blocked(e.agent, e.id);
        model_.blocked(e.agent, e.id, true);
        break;
      case happening::unblocked_comes:
        scheduler_.unblocked(e.agent, e.id);
        model_.blocked(e.agent, e.id, false);
        break;
      case happening::nested_comes:
        if (nodes_[e.agent].connected) {
          add_batch(batches_[e.id.batch].level + 1, e.agent, e.id);
        }
        break;
      case happening::nested_gone: drop_nested(e.agent, &e.id); break;
      default: {
        if (chance(options_.doubles)) {  // somebody else claims to have run it
          const agent_id other = 1 + random_.next() % nodes_.size();
          if (other != e.agent)
            must(scheduler_.finished(other, e.id, e.outcome, 1) == verdict::stale, "an agent answers for itself alone");
        }
        const verdict expected = model_.expected(e.agent, e.id, e.outcome);
        const verdict given = scheduler_.finished(e.agent, e.id, e.outcome, e.duration);
        must(given == expected, "each outcome has the verdict that was promised");
        model_.finished(e.agent, e.id, e.outcome, given);
        if (given != verdict::deliver) break;
        ++delivered;
        ended(e.id.batch);
      }
    }
  }
  // The calls that a call made have nobody left to answer to.
  void drop_nested(agent_id agent, const call_id* parent) {
    for (batch_id id = 1; id < batches_.size(); ++id) {
      const batch& b = batches_[id];
      if (b.level != 0 && b.parent_agent == agent && (parent == nullptr || b.parent == *parent)) remove(id);
    }
  }

  // --- the network
  // ---------------------------------------------------------------------------------------------------------
  void to_node(happening kind, const command& c) {
    node& n = nodes_[c.agent];
    event e{.kind = kind, .id = c.id, .agent = c.agent};
    e.when = std::max(scheduler_.now + latency(), options_.reorders ? 0 : n.last_there);
    n.last_there = e.when;
    events_.push(e);
  }
  void to_driver(happening kind, agent_id agent, const call_id& id, outcome_kind outcome = {},
                 std::int64_t duration = 0) {
    node& n = nodes_[agent];
    if (n.dead) return;
    event e{.kind = kind, .id = id, .agent = agent, .outcome = outcome, .duration = duration};
    for (int copies = chance(options_.doubles) && kind != happening::nested_comes ? 2 : 1; copies > 0; --copies) {
      e.when = std::max(scheduler_.now + latency(), options_.reorders ? 0 : n.last_back);
      n.last_back = e.when;
      events_.push(e);
    }
  }

  // --- agents come and go
  // ----------------------------------------------------------------------------------------------------
  void join(const resources& total, bool may_fail) {
    const agent_id id = nodes_.size();
    node& n = nodes_.emplace_back();
    n.total = total;
    n.connected = true;
    if (may_fail && chance(options_.bad)) n.bad = true;
    if (may_fail && chance(options_.slow)) n.speed = 2 + random_.pick(19);
    scheduler_.agent_joined(id, total);
    model_.agent_joined(id, total);
  }
  void join_some() {
    join({1 + random_.pick32(8), random_.pick32(3), random_.pick(2) == 0 ? 0 : (1 + random_.next() % 8) << 30}, true);
  }
  void lose(agent_id id) {
    node& n = nodes_[id];
    if (!n.connected) return;
    n.connected = false;
    // A silent one lives on for a while, and may say a lot that nobody wants to hear. A dead one takes with it what was
    // under way, or some of it.
    if (n.frozen_until <= scheduler_.now || random_.pick(2) == 0) {
      n.dead = true;
      n.calls.clear();
      events_.drop([&](const event& e) {
        return e.agent == id &&
               (e.kind < happening::first_at_driver ? e.kind >= happening::first_at_node : random_.pick(2) == 0);
      });
    }
    scheduler_.agent_lost(id);
    model_.agent_lost(id);
    drop_nested(id, nullptr);
    if (options_.relaunches && !final_ && nodes_.size() < 16)
      after(random_.pick(50'000'000), {.kind = happening::agent_joins});
  }
  void disturb() {
    for (agent_id id = options_.final ? 1 : 2; id < nodes_.size(); ++id) {
      node& n = nodes_[id];
      if (!n.connected) continue;
      if (chance(options_.freezing) && n.frozen_until <= scheduler_.now) {
        n.frozen_until = scheduler_.now + random_.pick(300'000'000);
        if (random_.pick(2) == 0)  // the driver does not wait as long
          after(random_.pick(n.frozen_until - scheduler_.now + 1), {.kind = happening::agent_lost, .agent = id});
      }
      if (!chance(options_.leaving)) continue;
      if (random_.pick(2) == 0) {
        scheduler_.agent_draining(id);
        model_.agent_draining(id);
        if (random_.pick(2) == 0) after(random_.pick(200'000'000), {.kind = happening::agent_lost, .agent = id});
      } else {
        lose(id);
      }
    }
    if (scheduler_.now < options_.unrest_ns) after(10'000'000 + random_.pick(100'000'000), {.kind = happening::unrest});
  }

  // --- what agents do
  // ------------------------------------------------------------------------------------------------------------
  void at_node(const event& e) {
    node& n = nodes_[e.agent];
    if (n.dead) return;
    if (n.frozen_until > scheduler_.now) {  // it does all of it when it wakes
      event again = e;
      again.when = n.frozen_until;
      return events_.push(again);
    }
    if (e.kind == happening::call_arrives) {
      n.calls.push_back({.id = e.id, .need = batches_[e.id.batch].options.need});
      return start_what_fits(e.agent);
    }
    running* r = n.find(e.id);
    if (r == nullptr) return;
    switch (e.kind) {
      case happening::recall_arrives:
        if (!r->started) give_back(e.agent, e.id);
        break;
      case happening::cancel_arrives:
        if (!r->started || random_.pick(2) == 0)
          end(e.agent, e.id, random_.pick(8) == 0 ? outcome_kind::worker_lost : outcome_kind::cancelled, 0);
        break;
      case happening::call_ends: end(e.agent, e.id, e.outcome, e.duration); break;
      case happening::call_blocks:
        if (!r->blocked) block(e.agent, *r, true);
        break;
      case happening::call_unblocks:
        if (r->blocked) block(e.agent, *r, false);
        break;
      case happening::call_nests:
        r->nests = true;
        to_driver(happening::nested_comes, e.agent, e.id);
        block(e.agent, *r, true);
        break;
      case happening::nested_over:
        if (!r->nests) break;
        r->nests = false;
        block(e.agent, *r, false);
        after(r->duration / 2, {.kind = happening::call_ends,
                                .id = e.id,
                                .agent = e.agent,
                                .outcome = r->outcome,
                                .duration = r->duration});
        break;
      default: break;
    }
  }
  void start_what_fits(agent_id id) {
    node& n = nodes_[id];
    for (running& r : n.calls) {
      if (r.started) continue;
      if (!n.fits(r.need)) break;
      r.started = true;
      start(id, n, r);
    }
  }
  void start(agent_id id, const node& n, running& r) {
    const batch& b = batches_[r.id.batch];
    if (random_.pick(2) == 0) to_driver(happening::started_comes, id, r.id);
    r.duration = (1 + random_.pick(options_.longest_ns)) * n.speed;
    if (chance(options_.failing)) r.outcome = static_cast<outcome_kind>(random_.pick(8));
    if (b.timeout != 0 && r.duration > b.timeout) {
      r.duration = b.timeout;
      r.outcome = outcome_kind::timeout;
    }
    if ((b.poisonous != 0 && r.id.index % b.poisonous == 0) || n.bad) r.outcome = outcome_kind::worker_lost;
    if (b.level < 2 && chance(options_.nesting)) {
      return after(r.duration / 4, {.kind = happening::call_nests, .id = r.id, .agent = id});
    }
    if (chance(options_.nesting)) {  // it waits, it does not matter for what
      after(r.duration / 4, {.kind = happening::call_blocks, .id = r.id, .agent = id});
      if (random_.pick(4) != 0) after(r.duration / 2, {.kind = happening::call_unblocks, .id = r.id, .agent = id});
    }
    after(r.duration,
          {.kind = happening::call_ends, .id = r.id, .agent = id, .outcome = r.outcome, .duration = r.duration});
  }
  void block(agent_id id, running& r, bool blocked) {
    r.blocked = blocked;
    to_driver(blocked ? happening::blocked_comes : happening::unblocked_comes, id, r.id);
    start_what_fits(id);
  }
  void give_back(agent_id id, const call_id& call) {
    nodes_[id].remove(call);
    to_driver(happening::returned_comes, id, call);
    start_what_fits(id);
  }
  void end(agent_id id, const call_id& call, outcome_kind outcome, std::int64_t duration) {
    node& n = nodes_[id];
    if (n.find(call)->nests) to_driver(happening::nested_gone, id, call);
    n.remove(call);
    to_driver(happening::result_comes, id, call, outcome, duration);
    if (outcome == outcome_kind::worker_lost && random_.pick(2) == 0)
      for (const call_id& queued : n.queued()) give_back(id, queued);
    start_what_fits(id);
  }

  generator random_;
  settings config_;
  world_options options_;
  subject scheduler_;
  model model_;
  event_queue events_;
  std::vector<batch> batches_;
  std::vector<node> nodes_;
  std::uint32_t batches_begun_ = 0;
  bool final_ = false;
};

}  // namespace simulation
