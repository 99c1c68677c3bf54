// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace simulation {

using namespace corolith::schedule;
using corolith::call_id;

/// A promise of the scheduler that did not hold.
struct violation : std::logic_error {
  using std::logic_error::logic_error;
};

inline void must(bool holds, const char* promise) {
  if (!holds) [[unlikely]]
    throw violation(promise);
}

/// The source of everything random in a schedule: splitmix64, the same on every machine.
class generator {
 public:
  explicit generator(std::uint64_t seed) : state_(seed * 0xd1342543de82ef95u) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// From 0 to n - 1.
  std::int64_t pick(std::int64_t n) {
    return static_cast<std::int64_t>((next() >> 32) * static_cast<std::uint64_t>(n) >> 32);
  }
  std::uint32_t pick32(std::uint32_t n) { return static_cast<std::uint32_t>(pick(n)); }
  bool chance(int percent) { return pick(100) < percent; }

 private:
  std::uint64_t state_;
};

/// What the scheduler holds of the heap: main.cpp counts what is allocated and freed while `counting`.
struct memory {
  inline static bool counting = false;
  inline static std::size_t live = 0;
};

/// The scheduler under test. Every event passes through here, to be counted, and shown when a schedule is traced.
class subject {
 public:
  subject(const settings& config, bool trace) : trace_(trace) {
    const inside here;
    scheduler_ = std::make_unique<scheduler>(config);
  }
  ~subject() {
    const inside here;
    scheduler_.reset();
  }
  subject(const subject&) = delete;
  subject& operator=(const subject&) = delete;

  std::int64_t now = 0;

  void agent_joined(agent_id agent, const resources& total) {
    show("agent_joined", agent, total.cpus, total.gpus, total.memory);
    const inside here;
    scheduler_->agent_joined(agent, total);
  }
  void agent_lost(agent_id agent) {
    show("agent_lost", agent);
    const inside here;
    scheduler_->agent_lost(agent);
  }
  void agent_draining(agent_id agent) {
    show("agent_draining", agent);
    const inside here;
    scheduler_->agent_draining(agent);
  }
  void capacity_final(bool final) {
    show("capacity_final", final);
    const inside here;
    scheduler_->capacity_final(final);
  }
  void batch_added(batch_id batch, const batch_options& o) {
    show("batch_added", batch, o.need.cpus, o.need.gpus, o.need.memory, o.retries, o.chunk, o.exclusive_dispatch,
         o.priority);
    const inside here;
    scheduler_->batch_added(batch, o);
  }
  std::uint32_t input_available(batch_id batch, std::uint32_t count, std::uint64_t largest_bytes) {
    show("input_available", batch, count, largest_bytes);
    const inside here;
    return scheduler_->input_available(batch, count, largest_bytes);
  }
  void input_ended(batch_id batch) {
    show("input_ended", batch);
    const inside here;
    scheduler_->input_ended(batch);
  }
  void consumed(batch_id batch, std::uint32_t count) {
    show("consumed", batch, count);
    const inside here;
    scheduler_->consumed(batch, count);
  }
  void batch_removed(batch_id batch) {
    show("batch_removed", batch);
    const inside here;
    scheduler_->batch_removed(batch);
  }
  void started(agent_id agent, const call_id& id) {
    show_call("started", agent, id);
    const inside here;
    scheduler_->started(agent, id);
  }
  verdict finished(agent_id agent, const call_id& id, outcome_kind kind, std::int64_t duration) {
    show_call("finished", agent, id, static_cast<unsigned>(kind));
    const inside here;
    return scheduler_->finished(agent, id, kind, duration, now);
  }
  void returned(agent_id agent, const call_id& id) {
    show_call("returned", agent, id);
    const inside here;
    scheduler_->returned(agent, id);
  }
  void blocked(agent_id agent, const call_id& id) {
    show_call("blocked", agent, id);
    const inside here;
    scheduler_->blocked(agent, id);
  }
  void unblocked(agent_id agent, const call_id& id) {
    show_call("unblocked", agent, id);
    const inside here;
    scheduler_->unblocked(agent, id);
  }
  void cancel_call(batch_id batch, std::uint32_t index) {
    show("cancel_call", batch, index);
    const inside here;
    scheduler_->cancel_call(batch, index);
  }
  void cancel_batch(batch_id batch) {
    show("cancel_batch", batch);
    const inside here;
    scheduler_->cancel_batch(batch);
  }
  void tick() {
    const inside here;
    scheduler_->tick(now);
  }
  bool wants_tick() const { return scheduler_->wants_tick(); }
  std::vector<command>& take_commands() {
    std::vector<command>* taken = nullptr;
    {
      const inside here;
      taken = &scheduler_->take_commands();
    }
    if (trace_) {
      static constexpr const char* names[] = {"want_input", "open_batch", "close_batch", "send",
                                              "cancel",     "recall",     "fail",        "batch_done"};
      for (const command& c : *taken)
        show_call(names[static_cast<int>(c.kind)], c.agent, c.id,
                  c.kind == command_kind::want_input ? c.count : static_cast<unsigned>(c.reason), "  -> ");
    }
    return *taken;
  }
  batch_counts counts(batch_id batch) const { return scheduler_->counts(batch); }
  agent_load load(agent_id agent) const { return scheduler_->load(agent); }

 private:
  struct inside {
    inside() { memory::counting = true; }
    ~inside() { memory::counting = false; }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;
  };

  template <class... T>
  void show(const char* name, const T&... values) const {
    if (!trace_) return;
    std::fprintf(stderr, "%12lld %s", static_cast<long long>(now), name);
    (std::fprintf(stderr, " %llu", static_cast<unsigned long long>(values)), ...);
    std::fputc('\n', stderr);
  }
  void show_call(const char* name, agent_id agent, const call_id& id, unsigned more = 0, const char* lead = "") const {
    if (trace_)
      std::fprintf(stderr, "%12lld %s%s agent %llu, call %llu.%u.%u, %u\n", static_cast<long long>(now), lead, name,
                   static_cast<unsigned long long>(agent), static_cast<unsigned long long>(id.batch), id.index,
                   id.attempt, more);
  }

  std::unique_ptr<scheduler> scheduler_;
  bool trace_;
};

}  // namespace simulation
