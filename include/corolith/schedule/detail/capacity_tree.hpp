// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/charge.hpp>
#include <corolith/schedule/detail/slot_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corolith::inline v0::schedule::detail {

/// Finds an agent with room without looking at all of them: a tournament tree whose inner nodes hold the maxima of what
/// the agents below have free. Of the agents with room it prefers one whose cpus idle, then the one with most room.
class capacity_tree {
 public:
  struct node {
    charge free{-1, -1, -1};
    std::int64_t idle = 0;      // cpus that no sent call will use
    charge total{-1, -1, -1};   // what an empty agent has
    charge unused{-1, -1, -1};  // what a call could have at once

    friend bool operator==(const node&, const node&) noexcept = default;
  };

  void set(std::uint32_t slot, const node& value) {
    if (slot >= leaves_) grow(slot + 1);
    std::size_t at = leaves_ + slot;
    nodes_[at] = value;
    while ((at /= 2) > 0) {
      const node above = join(nodes_[2 * at], nodes_[2 * at + 1]);
      if (above == nodes_[at]) return;
      nodes_[at] = above;
    }
  }

  /// `need` must be free; `entire`, if it is more, must be there when the agent is empty. A call that is sent ahead
  /// takes only a part of its window, but all that it needs when it runs. And `at_once` must be unused.
  std::uint32_t find(const charge& need, const charge& entire = {-1, -1, -1},
                     const charge& at_once = {-1, -1, -1}) const noexcept {
    return leaves_ == 0 ? no_slot : descend(1, need, entire, at_once);
  }

  /// The most idle cpus that one agent has.
  std::int64_t most_idle() const noexcept { return leaves_ == 0 ? 0 : nodes_[1].idle; }

 private:
  static charge most(const charge& a, const charge& b) noexcept {
    return {std::max(a.cpus, b.cpus), std::max(a.gpus, b.gpus), std::max(a.memory, b.memory)};
  }
  static node join(const node& a, const node& b) noexcept {
    return {most(a.free, b.free), std::max(a.idle, b.idle), most(a.total, b.total), most(a.unused, b.unused)};
  }

  // Maxima of different agents may add up to a promise that none of them keeps, hence the second try.
  std::uint32_t descend(std::size_t at, const charge& need, const charge& entire,
                        const charge& at_once) const noexcept {
    const node& here = nodes_[at];
    if (!need.fits_in(here.free) || !entire.fits_in(here.total) || !at_once.fits_in(here.unused)) return no_slot;
    if (at >= leaves_) return static_cast<std::uint32_t>(at - leaves_);
    const node &left = nodes_[2 * at], &right = nodes_[2 * at + 1];
    const bool right_first = right.idle != left.idle ? right.idle > left.idle : right.free.cpus > left.free.cpus;
    const std::uint32_t found = descend(2 * at + (right_first ? 1 : 0), need, entire, at_once);
    return found != no_slot ? found : descend(2 * at + (right_first ? 0 : 1), need, entire, at_once);
  }

  void grow(std::size_t slots) {
    std::size_t leaves = std::max<std::size_t>(1, leaves_);
    while (leaves < slots) leaves *= 2;
    std::vector<node> nodes(2 * leaves);
    for (std::size_t i = 0; i < leaves_; ++i) nodes[leaves + i] = nodes_[leaves_ + i];
    for (std::size_t at = leaves; at-- > 1;) nodes[at] = join(nodes[2 * at], nodes[2 * at + 1]);
    nodes_ = std::move(nodes);
    leaves_ = leaves;
  }

  std::vector<node> nodes_;
  std::size_t leaves_ = 0;
};

}  // namespace corolith::inline v0::schedule::detail
