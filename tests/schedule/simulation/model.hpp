// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace simulation {

/// What a model may take for granted about the schedule that it watches.
struct expectations {
  bool steady = false;               // agent 1 is well and stays, and can run every call
  std::int64_t longest_wait_ns = 0;  // in a steady schedule, of a call that is next in turn
};

/// What must be true of the scheduler, told from its events and commands alone: it knows what was promised and nothing
/// of how things are decided. Ids of batches and agents count from 1.
class model {
 public:
  model(subject& scheduler, const settings& config, const expectations& expected)
      : scheduler_(scheduler), config_(config), expected_(expected), agents_(1), batches_(1) {}

  // --- events, reported right after the scheduler had them -----------------------------------------------------------
  void agent_joined(agent_id id, const resources& total) {
    if (agents_.size() <= id) agents_.resize(id + 1);
    agents_[id].total = total;
    agents_[id].alive = true;
    cpus_ += total.cpus;
    most_cpus_ = std::max(most_cpus_, cpus_);
    agents_there_.push_back(id);
    most_agents_ = std::max(most_agents_, agents_there_.size());
  }
  void agent_draining(agent_id id) {
    if (known(id)) agents_[id].draining = true;
  }
  void agent_lost(agent_id id) {
    if (!known(id)) return;
    cpus_ -= agents_[id].total.cpus;
    agents_[id] = {};
    std::erase(agents_there_, id);
    for (const batch_id there : batches_there_) {
      batch_state& b = batches_[there];
      std::erase(b.opened, id);
      for (std::uint32_t i = 0; i < b.calls.size(); ++i)
        if (b.calls[i].at == id) put_back(b, b.calls[i]);
    }
  }
  void capacity_final(bool final) { final_ = final; }
  void batch_added(batch_id id, const batch_options& options, bool asks_first) {
    if (batches_.size() <= id) batches_.resize(id + 1);
    batch_state& b = batches_[id];
    b.options = options;
    b.options.need.cpus = std::max(1u, options.need.cpus);
    b.options.priority = std::max(1u, options.priority);
    b.asks_first = asks_first;
    b.measured = options.function != 0;
    b.gone = false;
    batches_there_.push_back(id);
    most_batches_ = std::max(most_batches_, batches_there_.size());
  }
  void input_available(batch_id id, std::uint32_t offered, std::uint32_t accepted) {
    batch_state* b = live(id);
    if (b == nullptr || b->input_ended) return must(accepted == 0, "nothing is accepted after the end of the input");
    must(accepted == offered, "elements are accepted while the input is open");
    for (std::uint32_t i = 0; i < accepted; ++i) {
      b->calls.emplace_back();
      b->pages.resize((b->calls.size() + 255) / 256);
      if (b->pages.back()++ == 0) most_pages_ = std::max(most_pages_, ++pages_);
    }
    b->waiting += accepted;
    b->outstanding += accepted;
    b->wanted -= std::min<std::uint64_t>(b->wanted, accepted);
    if (b->asks_first) must(b->outstanding <= window(), "no more elements are out than the window allows");
    most_calls_ = std::max(most_calls_, calls_ += accepted);
  }
  void input_ended(batch_id id) {
    if (batch_state* b = live(id)) b->input_ended = true;
  }
  void consumed(batch_id id, std::uint32_t count) {
    if (batch_state* b = live(id)) b->outstanding -= count;
  }
  void cancel_call(batch_id id, std::uint32_t index) {
    batch_state* b = live(id);
    if (b != nullptr && index < b->calls.size() && !b->calls[index].ended) b->calls[index].cancelled = true;
  }
  void cancel_batch(batch_id id) {
    batch_state* b = live(id);
    if (b == nullptr) return;
    b->input_ended = true;
    for (call_state& c : b->calls)
      if (!c.ended) c.cancelled = true;
  }
  void batch_removed(batch_id id) {
    batch_state* b = live_or_done(id);
    if (b == nullptr) return;
    if (!b->done) cancel_batch(id);
    b->removed = true;
    for (call_state& c : b->calls)  // what is nowhere is gone in silence
      if (!c.ended && c.at == 0) end(*b, c);
  }
  void blocked(agent_id agent, const call_id& id, bool blocked) {
    call_state* c = at(agent, id);
    if (c == nullptr || c->blocked == blocked) return;
    take(agents_[agent], batches_[id.batch], *c, blocked ? -1 : 1);
    agents_[agent].blocked += blocked ? 1 : ~0u;
    c->blocked = blocked;
  }
  void returned(agent_id agent, const call_id& id) {
    if (call_state* c = at(agent, id)) leave(agent, id, *c);
  }

  /// The verdict that finished() has to give; asked before the event.
  verdict expected(agent_id agent, const call_id& id, outcome_kind kind) {
    const call_state* c = at(agent, id);
    if (c == nullptr || batches_[id.batch].removed) return verdict::stale;
    const bool costs = kind == outcome_kind::exception || kind == outcome_kind::timeout || kind == outcome_kind::memory;
    if (kind == outcome_kind::cancelled) return verdict::failed;
    if (kind == outcome_kind::worker_lost)
      return c->cancelled || c->losses + 1u >= config_.poison_after ? verdict::failed : verdict::retry;
    const bool again = costs && !c->cancelled && c->failures < batches_[id.batch].options.retries;
    return again ? verdict::retry : verdict::deliver;
  }
  void finished(agent_id agent, const call_id& id, outcome_kind kind, verdict given) {
    call_state* c = at(agent, id);
    if (c == nullptr) return;
    batch_state& b = batches_[id.batch];
    if (kind == outcome_kind::value || kind == outcome_kind::exception) b.measured = true;
    if (kind == outcome_kind::worker_lost) {
      ++agents_[agent].losses;
    } else if (kind != outcome_kind::cancelled) {
      agents_[agent].losses = 0;
    }
    if (given == verdict::retry) {
      ++(kind == outcome_kind::worker_lost ? c->losses : c->failures);
      c->avoids = kind == outcome_kind::worker_lost;
    }
    if (given == verdict::failed) c->must_fail = true;
    leave(agent, id, *c);
    if (given == verdict::deliver) end(b, *c);
  }

  // --- commands, in their order
  // ---------------------------------------------------------------------------------------
  void command(const corolith::schedule::command& c) {
    must(c.id.batch < batches_.size() && c.id.batch > 0, "commands name batches that were added");
    batch_state& b = batches_[c.id.batch];
    must(!b.done, "batch_done is the last command of a batch");
    switch (c.kind) {
      case command_kind::want_input:
        must(c.count > 0 && !b.input_ended, "input is asked for until it ends");
        b.wanted += c.count;
        if (b.asks_first) must(b.outstanding + b.wanted <= window(), "no more is asked for than the window allows");
        break;
      case command_kind::open_batch:
        must(known(c.agent), "a batch is opened at an agent that is there");
        must(std::ranges::count(b.opened, c.agent) == 0, "a batch is opened once at an agent");
        b.opened.push_back(c.agent);
        break;
      case command_kind::close_batch:
        must(b.input_ended && b.ended == b.calls.size(), "a batch is closed when all of it has ended");
        must(std::erase(b.opened, c.agent) == 1, "what is closed was opened");
        break;
      case command_kind::send: send(b, c); break;
      case command_kind::cancel:
        if (call_state* named = at(c.agent, c.id)) {  // else it has ended since the scheduler decided
          must(named->cancelled, "only what was cancelled is told to stop");
          must(!named->told, "a call is told to stop once");
          named->told = true;
        }
        break;
      case command_kind::recall:
        if (call_state* named = at(c.agent, c.id)) {
          must(!named->recalled, "an attempt is recalled once");
          named->recalled = true;
        }
        break;
      case command_kind::fail:
        if (!b.removed) fail(b, c);  // else it failed before that
        break;
      case command_kind::batch_done:
        must(b.input_ended && !b.removed, "a batch is done after its input has ended");
        must(b.ended == b.calls.size(), "a batch is done when each call has ended");
        must(b.opened.empty(), "a batch is closed at every agent before it is done");
        b.done = true;
        break;
    }
  }

  // --- states
  // -----------------------------------------------------------------------------------------------------------
  /// After every event.
  void check() {
    for (const agent_id id : agents_there_) {
      const agent_state& a = agents_[id];
      const agent_load load = scheduler_.load(id);
      must(load.calls == a.calls, "the load of an agent counts its calls");
      must(load.blocked == a.blocked, "the load of an agent counts its blocked calls");
      must(load.idle_cpus == static_cast<std::int64_t>(a.total.cpus) - a.used.cpus, "idle cpus are those not in use");
    }
    for (const batch_id id : batches_there_) {
      const batch_state& b = batches_[id];
      if (b.removed) continue;
      const batch_counts counts = scheduler_.counts(id);
      must(counts.input == b.calls.size(), "every element is counted");
      must(counts.sent == b.sent, "sent calls are counted");
      // A `fail` command may be under way: for the scheduler that call has ended.
      must(counts.waiting <= b.waiting && counts.ended >= b.ended, "calls that wait or ended are counted");
    }
  }
  /// After the commands of a round were done: nothing is left that could have been decided.
  void check_round() {
    bool anything_waits = false, anything_runs = false;
    for (std::size_t at = 0; at < batches_there_.size(); ++at) {
      const batch_id id = batches_there_[at];
      batch_state& b = batches_[id];
      anything_runs = anything_runs || b.sent != 0;
      if (b.removed) {
        if (b.sent != 0) continue;
        must(scheduler_.counts(id).input == 0, "a batch that was removed is forgotten with its last call");
        b = {};
        batches_there_[at--] = batches_there_.back();
        batches_there_.pop_back();
        continue;
      }
      const batch_counts counts = scheduler_.counts(id);
      must(counts.waiting == b.waiting && counts.ended == b.ended, "waiting calls have not ended");
      must(b.waiting + b.sent + b.ended == b.calls.size(), "each call is in one place");
      must(b.done == (b.input_ended && b.ended == b.calls.size()), "a batch is done at once");
      if (!b.input_ended) {
        const std::uint64_t least = config_.input_window - std::max(1u, config_.input_window / 4);
        must(b.outstanding + b.wanted >= least, "input is asked for as results are consumed");
      }
      if (b.waiting != 0) {
        anything_waits = true;
        const bool fits = std::ranges::any_of(agents_there_, [&](agent_id agent) {
          return !agents_[agent].draining && could_run(agents_[agent], b.options.need);
        });
        must(fits || !final_, "what can never run fails when no agent will come");
        if (fits) check_not_idle(b);
        check_not_forgotten(b);
      }
    }
    if (anything_waits && expected_.steady) check_turns();
    if (anything_waits && !anything_runs && expected_.steady)
      must(std::ranges::any_of(agents_there_, [&](agent_id agent) { return agents_[agent].losses != 0; }),
           "something always runs");
    // Pages of calls, records of batches and agents, queues of commands: in proportion to what was there at a time, not
    // to what has been.
    const std::size_t allowed =
        32 * 1024 + 6 * 1024 * most_batches_ + 512 * most_agents_ + 128 * most_calls_ + 4200 * most_pages_;
    fullest = std::max(fullest, static_cast<double>(memory::live) / static_cast<double>(allowed));
    must(memory::live <= allowed, "memory is bounded by what is there at the same time");
  }
  bool all_done() const {
    return std::ranges::all_of(batches_there_, [&](batch_id id) { return batches_[id].done; });
  }
  /// At the end, when nothing is anywhere.
  void check_end() {
    check();
    for (const agent_id id : agents_there_) {
      const agent_load load = scheduler_.load(id);
      must(load.calls == 0 && load.blocked == 0 && load.cpus == 0, "an agent without calls is empty");
    }
    must(calls_ == 0, "every call ends");
  }

 private:
  struct amount {
    std::int64_t cpus = 0, gpus = 0, memory = 0;
  };
  struct agent_state {
    resources total{0, 0, 0};
    amount used;  // by what is there and not blocked, as if all of it ran at once
    double least_cpus = 0, least_gpus = 0, least_memory = 0;  // that they take from its window
    std::uint32_t calls = 0, blocked = 0;
    std::uint32_t losses = 0;  // of workers, since it last did something well
    bool alive = false, draining = false;
  };
  struct call_state {
    agent_id at = 0;
    std::uint32_t attempt = 0;
    std::uint32_t failures = 0, losses = 0;
    std::uint32_t ahead = 1;  // how many of its kind may have been sent to a slot
    bool cancelled : 1 = false, blocked : 1 = false, must_fail : 1 = false, ended : 1 = false;
    bool told : 1 = false, recalled : 1 = false, avoids : 1 = false;
  };
  struct batch_state {
    batch_options options;
    std::vector<call_state> calls;
    std::vector<std::uint32_t> pages;  // how many of 256 calls have not ended
    std::vector<agent_id> opened;
    std::uint32_t waiting = 0, sent = 0, ended = 0;
    std::uint32_t avoiding = 0;  // of those that wait
    std::uint64_t outstanding = 0, wanted = 0;
    std::int64_t next_since = -1;       // when its turn came
    std::int64_t forgotten_since = -1;  // when all that could run its calls began to do nothing
    bool input_ended = false, done = false, removed = false, gone = true, asks_first = false, measured = false;
  };

  bool known(agent_id id) const { return id < agents_.size() && agents_[id].alive; }
  std::uint64_t window() const { return std::max<std::uint64_t>(config_.input_window, 4 * most_cpus_); }
  batch_state* live_or_done(batch_id id) {
    const bool there = id < batches_.size() && !batches_[id].gone && !batches_[id].removed;
    return there ? &batches_[id] : nullptr;
  }
  batch_state* live(batch_id id) {
    batch_state* b = live_or_done(id);
    return b == nullptr || b->done ? nullptr : b;
  }
  call_state* at(agent_id agent, const call_id& id) {
    if (id.batch >= batches_.size() || batches_[id.batch].gone || agent == 0) return nullptr;
    batch_state& b = batches_[id.batch];
    if (id.index >= b.calls.size()) return nullptr;
    call_state& c = b.calls[id.index];
    return c.at == agent && c.attempt == id.attempt ? &c : nullptr;
  }
  static bool could_run(const agent_state& a, const resources& need) {
    return need.cpus <= a.total.cpus && need.gpus <= a.total.gpus &&
           (a.total.memory == 0 || need.memory <= a.total.memory);
  }
  // How many calls of a batch may be at one slot: one for each that is not to be, or not known to be, sent ahead.
  std::uint32_t most_ahead(const batch_state& b) const {
    if (b.options.exclusive_dispatch) return 1;
    if (b.options.chunk != 0) return std::min(b.options.chunk, 1024u);
    return b.measured ? std::clamp(config_.max_depth, 1u, 1024u) : 1;
  }
  static void take(agent_state& a, const batch_state& b, const call_state& c, int sign) {
    const resources& need = b.options.need;
    a.used.cpus += sign * static_cast<std::int64_t>(need.cpus);
    a.used.gpus += sign * static_cast<std::int64_t>(need.gpus);
    a.used.memory += sign * static_cast<std::int64_t>(need.memory);
    const double part = sign / static_cast<double>(c.ahead);
    a.least_cpus += part * need.cpus;
    a.least_gpus += part * need.gpus;
    a.least_memory += part * static_cast<double>(need.memory);
  }
  void put_back(batch_state& b, call_state& c) {
    c.at = 0;
    c.blocked = false;
    --b.sent;
    ++b.waiting;
    b.avoiding += c.avoids;
    if (b.removed) end(b, c);
  }
  void leave(agent_id agent, const call_id& id, call_state& c) {
    agent_state& a = agents_[agent];
    --a.calls;
    if (c.blocked) {
      --a.blocked;
    } else {
      take(a, batches_[id.batch], c, -1);
    }
    put_back(batches_[id.batch], c);
  }
  void end(batch_state& b, call_state& c) {
    if (c.ended) return;
    c.ended = true;
    if (--b.pages[static_cast<std::size_t>(&c - b.calls.data()) / 256] == 0) --pages_;
    b.avoiding -= c.avoids;
    --b.waiting;
    ++b.ended;
    --calls_;
  }

  void send(batch_state& b, const corolith::schedule::command& c) {
    must(!b.removed, "nothing is sent of a batch that was removed");
    must(known(c.agent) && !agents_[c.agent].draining, "calls are sent to agents that are there to stay");
    must(std::ranges::count(b.opened, c.agent) == 1, "a batch is opened before its first call is sent");
    must(c.id.index < b.calls.size(), "what is sent was in the input");
    call_state& sent = b.calls[c.id.index];
    must(!sent.ended, "a call that has ended is not sent again");
    must(sent.at == 0, "a call is sent to one agent at a time");
    must(!sent.cancelled && !sent.must_fail, "a call that was cancelled is not sent again");
    must(c.id.attempt == sent.attempt + 1, "attempts grow by one");
    must(could_run(agents_[c.agent], b.options.need), "calls are sent where they can run");
    check_fair(b);
    sent.at = c.agent;
    sent.attempt = c.id.attempt;
    sent.ahead = most_ahead(b);
    sent.recalled = sent.told = false;
    b.avoiding -= sent.avoids;
    sent.avoids = false;
    --b.waiting;
    ++b.sent;
    b.next_since = b.forgotten_since = -1;
    agent_state& a = agents_[c.agent];
    ++a.calls;
    take(a, b, sent, 1);
    must(a.least_cpus <= a.total.cpus + 1e-6, "no cpu is given twice");
    must(a.least_gpus <= a.total.gpus + 1e-6, "no gpu is given twice");
    must(a.total.memory == 0 || a.least_memory <= static_cast<double>(a.total.memory) + 1, "no memory is given twice");
  }
  void fail(batch_state& b, const corolith::schedule::command& c) {
    must(c.id.index < b.calls.size(), "what fails was in the input");
    call_state& failed = b.calls[c.id.index];
    must(!failed.ended, "a call ends once");
    must(failed.at == 0, "a call that is at an agent does not fail");
    must(failed.attempt == c.id.attempt, "a failure names the last attempt");
    switch (c.reason) {
      case fail_reason::poison:
        must(failed.must_fail && failed.losses + 1 == config_.poison_after,
             "poison has killed as many workers as allowed");
        break;
      case fail_reason::cancelled:
        must(failed.cancelled || failed.must_fail, "only what was cancelled fails so");
        break;
      case fail_reason::cannot_fit:
        must(final_, "calls wait for agents while some may come");
        for (const agent_id agent : agents_there_)
          must(agents_[agent].draining || !could_run(agents_[agent], b.options.need), "what can run does not fail");
        break;
      case fail_reason::none: must(false, "a failure has a reason");
    }
    end(b, failed);
  }

  std::int64_t held(const batch_state& b) const { return static_cast<std::int64_t>(b.sent) * b.options.need.cpus; }
  // Of two batches that are alike and never sent ahead, the one with the lesser share is served.
  void check_fair(const batch_state& served) const {
    if (!served.options.exclusive_dispatch) return;
    for (const batch_id id : batches_there_) {
      const batch_state& other = batches_[id];
      if (&other == &served || other.removed || other.waiting == 0 || other.avoiding != 0) continue;
      if (!other.options.exclusive_dispatch || other.options.need != served.options.need) continue;
      must(held(served) * other.options.priority <= held(other) * served.options.priority,
           "the batch with the least share is served");
    }
  }
  // No two agents idle while a call waits that each of them could run at once. One may be kept free for a larger call.
  void check_not_idle(const batch_state& b) const {
    if (b.avoiding != 0) return;
    std::uint32_t idle = 0;
    for (const agent_id id : agents_there_) {
      const agent_state& a = agents_[id];
      if (a.draining || a.losses != 0) continue;
      const resources& need = b.options.need;
      idle += a.used.cpus + need.cpus <= a.total.cpus && a.used.gpus + need.gpus <= a.total.gpus &&
              (a.total.memory == 0 || static_cast<std::uint64_t>(a.used.memory) + need.memory <= a.total.memory);
    }
    if (idle == 0) return;
    const bool alone = std::ranges::none_of(
        batches_there_, [&](batch_id id) { return &batches_[id] != &b && batches_[id].waiting != 0; });
    must(idle <= (alone ? 0u : 1u), "no agent idles while a call waits that it could run");
  }
  // A call that waits while all agents that could run it do nothing waits for a rest to end; the only agent has none.
  void check_not_forgotten(batch_state& b) const {
    std::uint32_t able = 0, there = 0;
    bool busy = false;
    for (const agent_id id : agents_there_) {
      const agent_state& a = agents_[id];
      if (a.draining) continue;
      ++there;
      if (!could_run(a, b.options.need)) continue;
      ++able;
      busy = busy || a.calls > a.blocked;
    }
    if (able == 0 || busy) {
      b.forgotten_since = -1;
    } else {
      must(there > 1, "the only agent never rests");
      if (b.forgotten_since < 0) b.forgotten_since = scheduler_.now;
      must(scheduler_.now - b.forgotten_since <= config_.longest_rest_ns + 50'000'000,
           "no rest is longer than allowed");
    }
  }
  // Where agent 1 could run everything, what has the least share must be served in the end, whatever else comes.
  void check_turns() {
    std::int64_t least_held = 0, least_priority = 0;
    for (const batch_id id : batches_there_) {
      const batch_state& b = batches_[id];
      if (b.removed || b.waiting == 0) continue;
      if (least_priority != 0 && held(b) * least_priority >= least_held * b.options.priority) continue;
      least_held = held(b);
      least_priority = b.options.priority;
    }
    for (const batch_id id : batches_there_) {
      batch_state& b = batches_[id];
      const bool next = !b.removed && b.waiting != 0 && held(b) * least_priority <= least_held * b.options.priority;
      if (!next) {
        b.next_since = -1;
      } else if (b.next_since < 0) {
        b.next_since = scheduler_.now;
      } else {
        longest_turn = std::max(longest_turn, scheduler_.now - b.next_since);
        must(scheduler_.now - b.next_since <= expected_.longest_wait_ns, "a batch whose turn it is is served");
      }
    }
  }

 public:
  std::int64_t longest_turn = 0;
  double fullest = 0;

 private:
  subject& scheduler_;
  settings config_;
  expectations expected_;
  std::vector<agent_state> agents_;
  std::vector<batch_state> batches_;
  std::vector<agent_id> agents_there_;
  std::vector<batch_id> batches_there_;
  std::uint64_t cpus_ = 0, most_cpus_ = 0;
  std::size_t most_agents_ = 0, most_batches_ = 0, pages_ = 0, most_pages_ = 0, calls_ = 0, most_calls_ = 0;
  bool final_ = false;
};

}  // namespace simulation
