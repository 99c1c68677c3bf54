// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/gemm_problem.hpp>
#include <corolith/simd/impl/gemm_micro.hpp>
#include <corolith/simd/impl/gemm_pack.hpp>

#include <cstddef>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

template <class T>
constexpr T smaller(T a, T b) {  // std::min would be compiled with this translation unit's flags
  return a < b ? a : b;
}

/// gemm_micro_kernel by its numbers of registers and columns.
template <class T, class Set>
struct gemm_micro_table {
  using function = void (*)(const gemm_micro_work<T>&);
  static constexpr std::size_t vectors = gemm_tile<Set>::vectors;
  static constexpr std::size_t columns = gemm_tile<Set>::columns;

  function entry[vectors][columns];

  template <std::size_t V, std::size_t... J>
  constexpr void fill_row(std::index_sequence<J...>) {
    ((entry[V][J] = &gemm_micro_kernel<T, Set, V + 1, J + 1>), ...);
  }
  template <std::size_t... V>
  constexpr void fill(std::index_sequence<V...>) {
    (fill_row<V>(std::make_index_sequence<columns>{}), ...);
  }
  constexpr gemm_micro_table() : entry{} { fill(std::make_index_sequence<vectors>{}); }
};

template <class T, class Set>
inline constexpr gemm_micro_table<T, Set> gemm_micro_kernels{};

/// One block of a, b and c: what the two inner loops go over. Slivers of a are tiles of rows, slivers of b tiles of columns;
/// either is packed or is where the caller has it.
template <class T, class Set>
struct gemm_block {
  static constexpr std::size_t width = lanes<T, Set>;
  static constexpr std::size_t tile_rows = gemm_tile_rows<T, Set>;
  static constexpr std::size_t tile_columns = gemm_tile<Set>::columns;

  std::size_t m, n, k;
  T alpha, beta;
  std::size_t rows;  // of a sliver of a
  const T* a;
  std::ptrdiff_t a_sliver, a_step;
  const T* a_last;  // the last sliver, whose rows need not fill a register; packed when they do not, unless it overlaps
  std::ptrdiff_t a_last_step;
  std::size_t
      overlap;  // rows of the sliver before the last that the last one does again, so that it fills its registers
  const T* b;
  std::ptrdiff_t b_sliver, b_row, b_column;
  bool b_packed;
  T* c;
  std::ptrdiff_t c_column;

  void run() const {
    const std::size_t tiles = (m + rows - 1) / rows;
    for (std::size_t j = 0; j < n; j += tile_columns) {
      const std::size_t columns = smaller(tile_columns, n - j);
      gemm_micro_work<T> work{};
      work.k = k;
      work.alpha = alpha;
      work.b = b + static_cast<std::ptrdiff_t>(j / tile_columns) * b_sliver;
      work.b_row = b_packed ? static_cast<std::ptrdiff_t>(columns) : b_row;
      work.b_column = b_column;
      work.c_column = c_column;
      // The next sliver of b, a share with each tile; where b is not packed it is small enough to be near.
      work.later = reinterpret_cast<const char*>(b_packed && j + tile_columns < n ? work.b + b_sliver : work.b);
      work.later_step = b_packed ? static_cast<std::ptrdiff_t>((tile_columns * sizeof(T) + tiles - 1) / tiles) : 0;
      for (std::size_t i = 0; i < m; i += rows) {
        run_tile(work, i, j, columns);
        work.later += static_cast<std::ptrdiff_t>(k) * work.later_step;
      }
    }
  }

 private:
  [[gnu::always_inline]] void run_tile(gemm_micro_work<T> work, std::size_t i, std::size_t j,
                                       std::size_t columns) const {
    const bool last = i + rows >= m;
    const std::size_t again = last ? overlap : 0;
    const std::size_t here = smaller(rows, m - i) + again;
    work.a = last ? a_last : a + static_cast<std::ptrdiff_t>(i / rows) * a_sliver;
    work.a_step = last ? a_last_step : a_step;
    T* const to = c + static_cast<std::ptrdiff_t>(j) * c_column + i - again;
    const std::size_t vectors = (here + width - 1) / width;
    const auto kernel = gemm_micro_kernels<T, Set>.entry[vectors - 1][columns - 1];
    if (here % width == 0) {
      work.beta = beta;
      work.c = to;
      return kernel(work);
    }
    alignas(64) T tile[tile_rows * tile_columns];
    work.beta = T{};
    work.c = tile;
    work.c_column = static_cast<std::ptrdiff_t>(vectors * width);
    kernel(work);
    for (std::size_t q = 0; q < columns; ++q)
      for (std::size_t r = 0; r < here; ++r) {
        T& at = to[static_cast<std::ptrdiff_t>(q) * c_column + static_cast<std::ptrdiff_t>(r)];
        const T sum = tile[q * vectors * width + r];
        at = beta == T{} ? sum : beta * at + sum;
      }
  }
};

/// The five loops around the micro kernel [Goto & van de Geijn 2008; Van Zee & van de Geijn 2015].
template <class T, class Set>
struct gemm_loops {
  static constexpr std::size_t width = lanes<T, Set>;
  static constexpr std::size_t tile_rows = gemm_tile_rows<T, Set>;
  static constexpr std::size_t tile_columns = gemm_tile<Set>::columns;

  const gemm_problem<T>& problem;
  const gemm_blocking& blocking;
  T* packed_a;
  T* packed_b;

  void run() const {
    for (std::size_t j = 0; j < problem.n; j += blocking.n)
      for (std::size_t p = 0; p < problem.k; p += blocking.k) {
        gemm_block<T, Set> block{};
        block.n = smaller(blocking.n, problem.n - j);
        block.k = smaller(blocking.k, problem.k - p);
        block.alpha = problem.alpha;
        block.beta = p == 0 ? problem.beta : T{1};
        block.c_column = problem.c_column;
        take_b(block, p, j);
        for (std::size_t i = 0; i < problem.m; i += blocking.m) {
          block.m = smaller(blocking.m, problem.m - i);
          block.c = problem.c + static_cast<std::ptrdiff_t>(j) * problem.c_column + i;
          take_a(block, i, p);
          block.run();
        }
      }
  }

 private:
  void take_b(gemm_block<T, Set>& block, std::size_t p, std::size_t j) const {
    const T* const from =
        problem.b + static_cast<std::ptrdiff_t>(p) * problem.b_row + static_cast<std::ptrdiff_t>(j) * problem.b_column;
    block.b_packed = blocking.pack_b;
    if (!blocking.pack_b) {
      block.b = from;
      block.b_sliver = static_cast<std::ptrdiff_t>(tile_columns) * problem.b_column;
      block.b_row = problem.b_row;
      block.b_column = problem.b_column;
      return;
    }
    block.b = packed_b;
    block.b_sliver = static_cast<std::ptrdiff_t>(tile_columns * block.k);
    block.b_column = 1;
    for (std::size_t q = 0; q < block.n; q += tile_columns) {
      const std::size_t columns = smaller(tile_columns, block.n - q);
      pack_sliver<tile_columns>(Set{},
                                gemm_sliver<T>{from + static_cast<std::ptrdiff_t>(q) * problem.b_column,
                                               problem.b_column, problem.b_row, columns, block.k, columns},
                                packed_b + q * block.k);
    }
  }

  /// Those of the first `rows` rows of a from `from`, which are all whole.
  void pack_whole_slivers(const T* from, std::size_t rows, std::size_t k) const {
    if (problem.a_row == 1)
      return pack_slivers_by_copy<tile_rows>(Set{}, from, problem.a_column, rows / tile_rows, k, packed_a);
    for (std::size_t r = 0; r < rows; r += tile_rows)
      pack_sliver<tile_rows>(Set{},
                             gemm_sliver<T>{from + static_cast<std::ptrdiff_t>(r) * problem.a_row, problem.a_row,
                                            problem.a_column, tile_rows, k, tile_rows},
                             packed_a + r * k);
  }

  /// Of a tile, so that no tile is much smaller than another: a single register of rows would wait for its own sums.
  static std::size_t even_rows(std::size_t m) {
    const std::size_t tiles = (m + tile_rows - 1) / tile_rows;
    return (m + tiles * width - 1) / (tiles * width) * width;
  }

  void take_a(gemm_block<T, Set>& block, std::size_t i, std::size_t p) const {
    const T* const from =
        problem.a + static_cast<std::ptrdiff_t>(i) * problem.a_row + static_cast<std::ptrdiff_t>(p) * problem.a_column;
    const bool in_place = !blocking.pack_a;
    block.rows = in_place ? even_rows(block.m) : tile_rows;
    block.overlap = 0;
    const std::size_t last = (block.m - 1) / block.rows * block.rows;
    const std::size_t last_rows = block.m - last;
    if (in_place) {
      block.a = from;
      block.a_sliver = static_cast<std::ptrdiff_t>(block.rows);
      block.a_step = problem.a_column;
    } else {
      block.a = packed_a;
      block.a_sliver = static_cast<std::ptrdiff_t>(tile_rows * block.k);
      block.a_step = tile_rows;
      pack_whole_slivers(from, last, block.k);
    }
    if (in_place && last_rows % width == 0) {
      block.a_last = from + last;
      block.a_last_step = problem.a_column;
      return;
    }
    const std::size_t step = (last_rows + width - 1) / width * width;
    // What is done again must come out the same: not where it would be added to c once more.
    if (in_place && block.beta == T{} && step <= block.m) {
      block.overlap = step - last_rows;
      block.a_last = from + (block.m - step);
      block.a_last_step = problem.a_column;
      return;
    }
    T* const to = packed_a + (in_place ? 0 : last * block.k);
    pack_sliver<tile_rows>(Set{},
                           gemm_sliver<T>{from + static_cast<std::ptrdiff_t>(last) * problem.a_row, problem.a_row,
                                          problem.a_column, last_rows, block.k, step},
                           to);
    block.a_last = to;
    block.a_last_step = static_cast<std::ptrdiff_t>(step);
  }
};

template <class Set, class T>
void gemm_kernel::operator()(Set, const gemm_problem<T>& problem, const gemm_blocking& blocking, T* packed_a,
                             T* packed_b) const {
  gemm_loops<T, Set>{problem, blocking, packed_a, packed_b}.run();
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
