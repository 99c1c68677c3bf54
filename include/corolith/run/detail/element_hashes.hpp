// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A hash for each of the indices that are in it, in blocks that go when all in them have gone. Not thread-safe.
class element_hashes {
 public:
  void put(std::uint32_t index, std::uint64_t hash) {
    std::unique_ptr<block>& in = blocks_[index / block_size];
    if (!in) in = std::make_unique<block>();
    in->hashes[index % block_size] = hash;
    in->there.set(index % block_size);
    ++in->count;
  }
  /// Takes it out; nothing when it is not in.
  std::optional<std::uint64_t> take(std::uint32_t index) {
    const auto found = blocks_.find(index / block_size);
    if (found == blocks_.end()) return std::nullopt;
    block& in = *found->second;
    if (!in.there.test(index % block_size)) return std::nullopt;
    const std::uint64_t hash = in.hashes[index % block_size];
    in.there.reset(index % block_size);
    if (--in.count == 0) blocks_.erase(found);
    return hash;
  }

 private:
  static constexpr std::size_t block_size = 1024;
  struct block {
    std::array<std::uint64_t, block_size> hashes;
    std::bitset<block_size> there;
    std::uint32_t count = 0;
  };
  std::unordered_map<std::size_t, std::unique_ptr<block>> blocks_;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
