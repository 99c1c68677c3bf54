// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/slot_map.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace corolith::inline v0::schedule::detail {

/// Who comes first: what a batch holds of the cpus in proportion to its priority, then who was served longest ago.
struct share {
  std::int64_t held = 0;
  std::uint64_t served = 0;

  friend auto operator<=>(const share&, const share&) = default;
};

/// Batches that have calls to send, the one with the least share on top. A binary heap that knows where each batch is.
class fair_heap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  std::uint32_t top() const noexcept { return entries_.front().batch; }
  const share& top_share() const noexcept { return entries_.front().key; }

  /// `place` is the batch's own cell for its position (no_slot while it is not in a heap); it must stay where it is.
  void push(std::uint32_t batch, const share& key, std::uint32_t& place) {
    entries_.push_back({key, batch, &place});
    place = static_cast<std::uint32_t>(entries_.size() - 1);
    up(entries_.size() - 1);
  }
  void update(std::uint32_t place, const share& key) {
    const bool less = key < entries_[place].key;
    entries_[place].key = key;
    if (less) {
      up(place);
    } else {
      down(place);
    }
  }
  void erase(std::uint32_t place) {
    *entries_[place].place = no_slot;
    const std::size_t last = entries_.size() - 1;
    if (place != last) {
      entries_[place] = entries_[last];
      *entries_[place].place = place;
    }
    entries_.pop_back();
    if (place == last) return;
    up(place);
    down(place);
  }

 private:
  struct entry {
    share key;
    std::uint32_t batch;
    std::uint32_t* place;
  };

  void exchange(std::size_t a, std::size_t b) {
    std::swap(entries_[a], entries_[b]);
    *entries_[a].place = static_cast<std::uint32_t>(a);
    *entries_[b].place = static_cast<std::uint32_t>(b);
  }
  void up(std::size_t at) {
    for (; at > 0 && entries_[at].key < entries_[(at - 1) / 2].key; at = (at - 1) / 2) exchange(at, (at - 1) / 2);
  }
  void down(std::size_t at) {
    for (std::size_t child; (child = 2 * at + 1) < entries_.size(); at = child) {
      if (child + 1 < entries_.size() && entries_[child + 1].key < entries_[child].key) ++child;
      if (!(entries_[child].key < entries_[at].key)) return;
      exchange(at, child);
    }
  }

  std::vector<entry> entries_;
};

}  // namespace corolith::inline v0::schedule::detail
