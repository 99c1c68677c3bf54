// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/batch.hpp>

#include <cstddef>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Lane `lane` of a register pair (first, second; the second's lanes counted after the first's) that becomes the low or the
/// high half of an exchange of blocks of `block` lanes.
constexpr int exchanged_lane(std::size_t lane, std::size_t block, std::size_t width, bool high) {
  const std::size_t in_block = lane % block;
  const std::size_t pair = lane / (2 * block);
  const bool from_second = (lane / block) % 2 == 1;
  return static_cast<int>(pair * 2 * block + (high ? block : 0) + in_block + (from_second ? width : 0));
}

/// A square of as many registers as they have lanes, turned in log2(width) stages of two-register shuffles: stage s
/// exchanges blocks of 2^s lanes between the registers whose numbers differ in bit s.
template <class T, class Set>
struct square {
  using vector = batch<T, Set>;
  using raw = typename vector::register_type;
  static constexpr std::size_t width = lanes<T, Set>;

  raw row[width];

  template <std::size_t Block, bool High, std::size_t... Lane>
  [[gnu::always_inline]] static raw exchange(raw first, raw second, std::index_sequence<Lane...>) {
    return __builtin_shufflevector(first, second, exchanged_lane(Lane, Block, width, High)...);
  }

  template <std::size_t Block, std::size_t I>
  [[gnu::always_inline]] void exchange_pair() {
    if constexpr ((I & Block) == 0) {
      constexpr std::make_index_sequence<width> every_lane;
      const raw low = exchange<Block, false>(row[I], row[I + Block], every_lane);
      row[I + Block] = exchange<Block, true>(row[I], row[I + Block], every_lane);
      row[I] = low;
    }
  }

  template <std::size_t Block, std::size_t... I>
  [[gnu::always_inline]] void transpose_from(std::index_sequence<I...> every) {
    if constexpr (Block < width) {
      (exchange_pair<Block, I>(), ...);
      transpose_from<Block * 2>(every);
    }
  }

  template <std::size_t... I>
  [[gnu::always_inline]] void copy(const T* from, std::ptrdiff_t from_step, T* to, std::ptrdiff_t to_step,
                                   std::index_sequence<I...> every) {
    ((row[I] = vector::load_unaligned(from + static_cast<std::ptrdiff_t>(I) * from_step)), ...);
    transpose_from<1>(every);
    (vector(row[I]).store_unaligned(to + static_cast<std::ptrdiff_t>(I) * to_step), ...);
  }
};

/// to[i * to_step + j] = from[j * from_step + i] for i and j below the lanes of a register.
template <class T, class Set>
[[gnu::always_inline]] inline void transpose_square(const T* from, std::ptrdiff_t from_step, T* to,
                                                    std::ptrdiff_t to_step) {
  square<T, Set> tile;
  tile.copy(from, from_step, to, to_step, std::make_index_sequence<lanes<T, Set>>{});
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
