// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A set of the indices of a batch. Where all are in it, 2^15 of them take as much memory as a pointer or two. Not thread-safe.
class index_set {
 public:
  /// False when it was in it already.
  bool insert(std::uint32_t index) {
    page& in = pages_[index / page_size];
    if (in.count == page_size) return false;
    if (!in.words) in.words = std::make_unique<std::array<std::uint64_t, page_size / 64>>();
    std::uint64_t& word = (*in.words)[index % page_size / 64];
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    ++count_;
    if (index >= end_) end_ = std::uint64_t{index} + 1;
    if (++in.count == page_size) in.words.reset();
    return true;
  }
  bool contains(std::uint32_t index) const noexcept {
    const auto found = pages_.find(index / page_size);
    if (found == pages_.end()) return false;
    const page& in = found->second;
    return in.count == page_size || ((*in.words)[index % page_size / 64] >> (index % 64) & 1) != 0;
  }
  std::uint64_t count() const noexcept { return count_; }
  /// One more than the largest index; 0 when it is empty.
  std::uint64_t end() const noexcept { return end_; }

 private:
  static constexpr std::uint32_t page_size = 1u << 15;
  struct page {
    std::uint32_t count = 0;
    std::unique_ptr<std::array<std::uint64_t, page_size / 64>> words;  // null when it is full
  };
  std::unordered_map<std::uint32_t, page> pages_;
  std::uint64_t count_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
