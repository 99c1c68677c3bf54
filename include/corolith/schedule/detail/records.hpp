// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/call_table.hpp>
#include <corolith/schedule/detail/charge.hpp>
#include <corolith/schedule/detail/fair_heap.hpp>
#include <corolith/schedule/window.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corolith::inline v0::schedule::detail {

/// A set of agent slots, one bit each.
class slot_set {
 public:
  bool contains(std::uint32_t slot) const noexcept {
    return slot / 64 < words_.size() && (words_[slot / 64] >> (slot % 64) & 1) != 0;
  }
  void insert(std::uint32_t slot) {
    if (slot / 64 >= words_.size()) words_.resize(slot / 64 + 1);
    words_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  }
  void erase(std::uint32_t slot) noexcept {
    if (slot / 64 < words_.size()) words_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }
  void clear() noexcept { words_.clear(); }
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t word = 0; word < words_.size(); ++word)
      for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1)
        f(static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits)));
  }

 private:
  std::vector<std::uint64_t> words_;
};

struct batch_record {
  batch_id id = 0;
  batch_options options;
  std::uint32_t slot = no_slot;
  std::uint32_t shape = no_slot;       // no_slot once it is done
  std::uint32_t heap_place = no_slot;  // in its shape's heap, while calls wait
  std::uint32_t depth = 1;
  charge cost;    // of one call at this depth
  charge entire;  // of one that runs

  call_table calls;
  std::vector<std::uint32_t> requeued;  // calls that were sent before; the next one is at the back
  std::uint32_t fresh = 0;              // calls from here on were never sent
  std::uint32_t waiting = 0;
  std::uint32_t sent = 0;

  std::uint64_t largest_bytes = 0;  // of its elements

  std::uint64_t outstanding = 0;  // elements pulled and not consumed
  std::uint64_t wanted = 0;       // elements asked for that have not come
  std::uint64_t window = 0;       // limit of both

  share key;
  std::int64_t held = 0;  // cpus that its sent calls take, blocked ones too: a parent must not outrun its nested calls
  duration_estimate estimate;
  slot_set opened;  // agents that know the batch
  bool input_ended = false;
  bool done = false;
  bool removed = false;
  bool touched = false;
};

struct agent_record {
  agent_id id = 0;
  resources total;
  charge free;    // of its window; negative after a call was unblocked into a full one
  charge unused;  // if all sent calls that are not blocked ran at once; negative when calls queue
  std::uint32_t calls = 0;
  std::uint32_t blocked = 0;
  charge lasting;             // of the calls that last and are not blocked, as if all of them ran
  std::uint32_t ahead = 0;    // of its calls that are
  std::uint32_t strikes = 0;  // workers lost since the last success
  std::int64_t rest_until = 0;
  std::int64_t rest_length = 0;
  std::int64_t quiet_since = 0;
  bool progressed = false;  // since the last tick
  bool alive = false;
  bool draining = false;
  bool resting = false;
  bool on_trial = false;  // back from a rest: one call at a time until one succeeds
  bool dirty = false;     // its leaf in the tree is out of date

  std::int64_t idle_cpus() const noexcept { return unused.cpus / whole; }
};

/// All batches whose calls take the same share of an agent: if one call of a shape fits nowhere, none does.
struct shape_record {
  resources need;
  std::uint32_t depth = 1;
  charge cost;
  charge entire;  // of a call that runs; cost is its part of a window
  fair_heap ready;
  std::uint32_t batches = 0;           // that are not done
  std::uint32_t fitting = 0;           // agents that could run one if they were empty
  bool skip = false;                   // fits nowhere in this round
  std::uint32_t kept_agent = no_slot;  // that was last kept free for it
  std::int64_t kept_since = 0;
  std::int64_t patience = 0;  // how long to wait for that agent before another is tried
};

}  // namespace corolith::inline v0::schedule::detail
