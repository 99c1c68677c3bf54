// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/tags.hpp>
#include <corolith/simd/impl/transpose.hpp>

#include <cstddef>
#include <type_traits>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// The set whose register of T has at most `most` lanes: a sliver of b can be narrower than a register.
template <class T, class Set, std::size_t most>
struct set_of_width {
  using type = Set;
};
template <class T, std::size_t most>
  requires(lanes<T, avx512> > most)
struct set_of_width<T, avx512, most> {
  using type = avx2;
};
template <class T, std::size_t most>
  requires(lanes<T, avx2> > most)
struct set_of_width<T, avx2, most> {
  using type = sse2;
};

/// A sliver of a matrix as the innermost loop wants it: to[p * step + i] is from[i * across + p * along] for i below `height`
/// and p below `length`, and zero for i from `height` up to `step`.
template <class T>
struct gemm_sliver {
  const T* from;
  std::ptrdiff_t across, along;
  std::size_t height, length, step;
};

template <class Set, class T>
void pack_by_copy(Set, const gemm_sliver<T>& of, T* to) {
  using vector = batch<T, Set>;
  constexpr std::size_t width = lanes<T, Set>;
  const std::size_t whole = of.height - of.height % width;
  const T* from = of.from;
  for (std::size_t p = 0; p < of.length; ++p, from += of.along, to += of.step) {
    for (std::size_t i = 0; i < whole; i += width) vector::load_unaligned(from + i).store_unaligned(to + i);
    for (std::size_t i = whole; i < of.height; ++i) to[i] = from[i];
    for (std::size_t i = of.height; i < of.step; ++i) to[i] = T{};
  }
}

/// `count` slivers of `Height` rows, side by side, where rows are contiguous. Goes along all of them at once, since the next
/// column may be on another page.
template <std::size_t Height, class Set, class T>
void pack_slivers_by_copy(Set, const T* from, std::ptrdiff_t along, std::size_t count, std::size_t length, T* to) {
  using vector = batch<T, Set>;
  constexpr std::size_t width = lanes<T, Set>;
  static_assert(Height % width == 0);
  for (std::size_t p = 0; p < length; ++p, from += along)
    for (std::size_t sliver = 0; sliver < count; ++sliver) {
      const T* const source = from + sliver * Height;
      T* const target = to + (sliver * length + p) * Height;
      for (std::size_t i = 0; i < Height; i += width) {
        __builtin_prefetch(source + i + 2 * along);
        vector::load_unaligned(source + i).store_unaligned(target + i);
      }
    }
}

/// The rows from `row` up, and of them what is from `first` up to `last` along.
template <class Set, class T>
void pack_one_by_one(Set, const gemm_sliver<T>& of, std::size_t row, std::size_t first, std::size_t last, T* to) {
  for (std::size_t p = first; p < last; ++p)
    for (std::size_t i = row; i < of.step; ++i) {
      const T* const at =
          of.from + static_cast<std::ptrdiff_t>(i) * of.across + static_cast<std::ptrdiff_t>(p) * of.along;
      to[p * of.step + i] = i < of.height ? *at : T{};
    }
}

/// Takes a cache line of every row at a time: rows that are a power of two apart share a set of the cache, and would drive
/// each other out before the rest of the line is used. `most`: the lanes that fit the sliver.
template <std::size_t most, class Set, class T>
void pack_by_squares(Set set, const gemm_sliver<T>& of, T* to) {
  using narrow = typename set_of_width<T, Set, most>::type;
  constexpr std::size_t width = lanes<T, narrow>;
  const std::size_t whole_rows = of.height - of.height % width;
  const std::size_t whole_length = of.length - of.length % width;
  for (std::size_t p = 0; p < whole_length; p += width) {
    // Where the rows end, the next sliver begins, most likely on other pages.
    const std::size_t ahead = p + 4 * width;
    const T* const soon = ahead < of.length
                              ? of.from + ahead
                              : of.from + static_cast<std::ptrdiff_t>(of.height) * of.across + (ahead - of.length);
    for (std::size_t i = 0; i < whole_rows; ++i) __builtin_prefetch(soon + static_cast<std::ptrdiff_t>(i) * of.across);
    for (std::size_t i = 0; i < whole_rows; i += width)
      transpose_square<T, narrow>(of.from + static_cast<std::ptrdiff_t>(i) * of.across + p, of.across,
                                  to + p * of.step + i, static_cast<std::ptrdiff_t>(of.step));
    if (whole_rows < of.step) pack_one_by_one(set, of, whole_rows, p, p + width, to);
  }
  pack_one_by_one(set, of, 0, whole_length, of.length, to);
}

template <std::size_t most, class Set, class T>
void pack_sliver(Set set, const gemm_sliver<T>& of, T* to) {
  if (of.across == 1) return pack_by_copy(set, of, to);
  if (of.along == 1) return pack_by_squares<most>(set, of, to);
  pack_one_by_one(set, of, 0, 0, of.length, to);
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
