// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/tags.hpp>

#include <cstddef>
#include <type_traits>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// c = alpha * a * b + beta * c, where a is m x k, b is k x n, and c is m x n with its columns contiguous.
/// Element (i, j) of a is a[i * a_row + j * a_column]; so for b.
template <class T>
struct gemm_problem {
  std::size_t m = 0, n = 0, k = 0;
  T alpha{}, beta{};
  const T* a = nullptr;
  std::ptrdiff_t a_row = 0, a_column = 0;
  const T* b = nullptr;
  std::ptrdiff_t b_row = 0, b_column = 0;
  T* c = nullptr;
  std::ptrdiff_t c_column = 0;

  /// The same of c's transpose, for a c whose rows are contiguous.
  gemm_problem transposed() const {
    return {n, m, k, alpha, beta, b, b_column, b_row, a, a_column, a_row, c, c_column};
  }
  /// The rows from `row` and columns from `column` of c, and what they are made of.
  gemm_problem part(std::size_t row, std::size_t rows, std::size_t column, std::size_t columns) const {
    gemm_problem of = *this;
    of.m = rows;
    of.n = columns;
    of.a += static_cast<std::ptrdiff_t>(row) * a_row;
    of.b += static_cast<std::ptrdiff_t>(column) * b_column;
    of.c += static_cast<std::ptrdiff_t>(column) * c_column + static_cast<std::ptrdiff_t>(row);
    return of;
  }
};

/// The part of c that stays in registers while a and b stream by: `vectors` registers of rows by `columns`.
/// One register more holds an element of b, and `vectors` hold a column of a.
template <class Set>
struct gemm_tile {  // 16 registers
  static constexpr std::size_t vectors = 3, columns = 4;
};
template <>
struct gemm_tile<sse2> {  // 16, of which one is lost to a product that is not fused with its sum
  static constexpr std::size_t vectors = 2, columns = 4;
};
template <>
struct gemm_tile<avx512> {  // 32
  static constexpr std::size_t vectors = 3, columns = 8;
};
template <>
struct gemm_tile<neon> {  // 32
  static constexpr std::size_t vectors = 4, columns = 6;
};

template <class T, class Set>
inline constexpr std::size_t gemm_tile_rows = gemm_tile<Set>::vectors * register_bytes<Set> / sizeof(T);

/// How much of each dimension is taken at once: m x k of a, k x n of b. And whether it is copied into the order in which it
/// is used, or read where it is (a only where its columns are contiguous).
struct gemm_blocking {
  std::size_t m = 0, k = 0, n = 0;
  bool pack_a = true, pack_b = true;
};

/// Computes a gemm_problem on one thread. `packed_a` has room for blocking.m * blocking.k elements, `packed_b` for
/// blocking.k * blocking.n, both aligned to a register; blocking.m is a multiple of the tile's rows, blocking.n of its columns.
struct gemm_kernel {
  template <class Set, class T>
  void operator()(Set, const gemm_problem<T>& problem, const gemm_blocking& blocking, T* packed_a, T* packed_b) const;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
