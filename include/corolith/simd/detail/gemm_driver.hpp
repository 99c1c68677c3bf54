// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/cache_sizes.hpp>
#include <corolith/simd/detail/dispatch.hpp>
#include <corolith/simd/detail/gemm_problem.hpp>
#include <corolith/simd/detail/workspace.hpp>

#include <algorithm>
#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

constexpr std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

/// `size` in equal blocks of at most `most`, each a multiple of `unit`: a short last block would cost what a whole one does.
constexpr std::size_t even_block(std::size_t size, std::size_t most, std::size_t unit) {
  const std::size_t blocks = std::max<std::size_t>(1, (size + most - 1) / most);
  return std::min(round_up(most, unit), round_up(std::max<std::size_t>(1, (size + blocks - 1) / blocks), unit));
}

/// Whether packing would cost more than it saves: where both factors stay in the second cache. With registers of 64 bytes packing
/// paid from a smaller size on.
template <class Set, class T>
bool is_small(const gemm_problem<T>& problem, const cache_sizes& cache) {
  const std::size_t work = problem.m * problem.n * problem.k;
  if (work <= 128 * 128 * 128) return true;
  return register_bytes<Set> < 64 && work <= 256 * 256 * 256 &&
         (problem.m + problem.n) * problem.k * sizeof(T) <= cache.second;
}

/// The sizes at which a sliver of b takes two thirds of the first cache, the block of a up to 768 KiB of the second, and the block of
/// b a share of the third [Low et al. 2016].
template <class Set, class T>
gemm_blocking blocking_of(const gemm_problem<T>& problem, const cache_sizes& cache) {
  constexpr std::size_t rows = gemm_tile_rows<T, Set>;
  constexpr std::size_t columns = gemm_tile<Set>::columns;
  gemm_blocking blocking;
  const std::size_t most_k = std::clamp<std::size_t>(cache.first * 2 / 3 / (columns * sizeof(T)), 128, 512);
  blocking.k = even_block(problem.k, most_k, 4);
  const std::size_t most_a = std::min<std::size_t>(cache.second * 6 / 10, 768U << 10U);
  const std::size_t most_m = std::max(rows, most_a / (blocking.k * sizeof(T)) / rows * rows);
  blocking.m = even_block(problem.m, most_m, rows);
  // The third cache is shared, and a block of b that is driven out of it costs more than packing a once more.
  const std::size_t most_b = std::min<std::size_t>(cache.third / 2, 6U << 20U);
  const std::size_t most_n = std::max(columns, most_b / (blocking.k * sizeof(T)));
  blocking.n = even_block(problem.n, most_n, columns);
  const bool small = is_small<Set>(problem, cache);
  blocking.pack_a = !small || problem.a_row != 1;
  blocking.pack_b = !small;
  return blocking;
}

/// Computes a problem on this thread, with memory that `space` keeps.
struct gemm_driver {
  template <class Set, class T>
  void operator()(Set set, const gemm_problem<T>& problem, workspace* space) const {
    const gemm_blocking blocking = blocking_of<Set>(problem, caches());
    const std::size_t of_a = round_up(blocking.m * blocking.k * sizeof(T), 4096);
    const std::size_t of_b = blocking.pack_b ? blocking.k * blocking.n * sizeof(T) : 0;
    auto* const memory = static_cast<std::byte*>(space->reserve(of_a + of_b));
    gemm_kernel{}(set, problem, blocking, reinterpret_cast<T*>(memory), reinterpret_cast<T*>(memory + of_a));
  }
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
