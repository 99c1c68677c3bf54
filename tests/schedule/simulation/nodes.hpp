// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace simulation {

/// What may happen next, by where it happens.
enum class happening : std::uint8_t {
  batch_begins,
  input,
  consumption,
  batch_cancelled,
  call_cancelled,
  batch_removed,
  tick,
  agent_joins,
  agent_lost,
  unrest,
  final,
  stranger,
  // at an agent
  call_arrives,
  recall_arrives,
  cancel_arrives,
  call_ends,
  call_blocks,
  call_unblocks,
  call_nests,
  nested_over,
  // what an agent said arrives at the driver
  started_comes,
  returned_comes,
  blocked_comes,
  unblocked_comes,
  nested_comes,
  nested_gone,
  result_comes,

  first_at_node = call_arrives,
  first_at_driver = started_comes,
};

struct event {
  std::int64_t when = 0;
  std::uint64_t order = 0;
  happening kind = happening::tick;
  call_id id{};
  agent_id agent = 0;
  outcome_kind outcome = outcome_kind::value;
  std::uint32_t count = 0;
  std::int64_t duration = 0;
};

/// Events in the order of their times; those of one time in the order in which they were put in.
class event_queue {
 public:
  bool empty() const { return heap_.empty(); }
  void push(event e) {
    e.order = next_++;
    heap_.push_back(e);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const event first = heap_.back();
    heap_.pop_back();
    return first;
  }
  template <class Which>
  void drop(Which&& which) {
    std::erase_if(heap_, which);
    std::make_heap(heap_.begin(), heap_.end(), later);
  }

 private:
  static bool later(const event& a, const event& b) { return a.when != b.when ? a.when > b.when : a.order > b.order; }

  std::vector<event> heap_;
  std::uint64_t next_ = 0;
};

/// A call at an agent.
struct running {
  call_id id;
  resources need;
  bool started = false;
  bool blocked = false;
  bool nests = false;  // it waits for calls of its own
  outcome_kind outcome = outcome_kind::value;
  std::int64_t duration = 0;
};

/// An agent as it is, whatever the scheduler thinks of it.
struct node {
  resources total;
  std::int64_t speed = 1;  // how many times longer calls take here
  std::int64_t frozen_until = 0;
  std::int64_t last_there = 0, last_back = 0;  // when the last message arrives: they stay in order
  bool connected = false;                      // the driver has not given it up
  bool dead = false;
  bool bad = false;  // every worker dies
  std::vector<running> calls;

  running* find(const call_id& id) {
    const auto at = std::ranges::find(calls, id, &running::id);
    return at == calls.end() ? nullptr : &*at;
  }
  void remove(const call_id& id) {
    std::erase_if(calls, [&](const running& r) { return r.id == id; });
  }
  std::vector<call_id> queued() const {
    std::vector<call_id> ids;
    for (const running& r : calls)
      if (!r.started) ids.push_back(r.id);
    return ids;
  }
  /// Whether another call may start: an agent never starts more than it can run.
  bool fits(const resources& need) const {
    std::uint64_t cpus = std::max(1u, need.cpus), gpus = need.gpus, bytes = need.memory;
    for (const running& r : calls) {
      if (!r.started || r.blocked) continue;
      cpus += std::max(1u, r.need.cpus);
      gpus += r.need.gpus;
      bytes += r.need.memory;
    }
    return cpus <= total.cpus && gpus <= total.gpus && (total.memory == 0 || bytes <= total.memory);
  }
};

}  // namespace simulation
