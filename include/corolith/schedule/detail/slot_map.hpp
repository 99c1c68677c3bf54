// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace corolith::inline v0::schedule::detail {

inline constexpr std::uint32_t no_slot = 0xffffffff;

/// From ids to small numbers ("slots"). Open addressing in one array: a look-up is one multiplication and, nearly
/// always, one cache line; nothing is allocated while the number of ids does not grow.
class slot_map {
 public:
  std::uint32_t find(std::uint64_t key) const noexcept {
    if (size_ == 0) return no_slot;
    for (std::size_t at = home(key);; at = next(at)) {
      if (entries_[at].slot == no_slot) return no_slot;
      if (entries_[at].key == key) return entries_[at].slot;
    }
  }

  /// The key must not be there.
  void insert(std::uint64_t key, std::uint32_t slot) {
    if ((size_ + 1) * 2 > entries_.size()) grow();
    place(key, slot);
    ++size_;
  }

  void erase(std::uint64_t key) noexcept {
    if (size_ == 0) return;
    std::size_t hole = home(key);
    while (entries_[hole].key != key || entries_[hole].slot == no_slot) {
      if (entries_[hole].slot == no_slot) return;
      hole = next(hole);
    }
    // Later entries of the same run move up, so that no probe ever stops early at the hole.
    for (std::size_t at = next(hole); entries_[at].slot != no_slot; at = next(at)) {
      if (((at - home(entries_[at].key)) & mask()) < ((at - hole) & mask())) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].slot = no_slot;
    --size_;
  }

  std::size_t size() const noexcept { return size_; }

 private:
  struct entry {
    std::uint64_t key = 0;
    std::uint32_t slot = no_slot;
  };

  std::size_t mask() const noexcept { return entries_.size() - 1; }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }
  std::size_t home(std::uint64_t key) const noexcept {
    return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15u) >> 32) & mask();
  }
  void place(std::uint64_t key, std::uint32_t slot) noexcept {
    std::size_t at = home(key);
    while (entries_[at].slot != no_slot) at = next(at);
    entries_[at] = {key, slot};
  }
  void grow() {
    std::vector<entry> old(entries_.empty() ? 16 : entries_.size() * 2);
    old.swap(entries_);
    for (const entry& e : old)
      if (e.slot != no_slot) place(e.key, e.slot);
  }

  std::vector<entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace corolith::inline v0::schedule::detail
