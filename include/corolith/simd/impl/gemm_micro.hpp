// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/gemm_problem.hpp>

#include <cstddef>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// The innermost loop: V registers of rows by N columns of c, in registers while k columns of a and rows of b stream by.
/// All is unrolled by templates, since an array that is indexed by a loop would live in memory.
template <class T, class Set, std::size_t V, std::size_t N>
struct gemm_micro {
  using vector = batch<T, Set>;
  using every_vector = std::make_index_sequence<V>;
  using every_column = std::make_index_sequence<N>;
  static constexpr std::size_t width = lanes<T, Set>;

  vector sum[N][V];

  template <std::size_t... I>
  [[gnu::always_inline]] void add_column(const vector (&a)[V], T b, std::size_t j, std::index_sequence<I...>) {
    const vector spread(b);
    ((sum[j][I] = multiply_add<T, Set>(a[I], spread, sum[j][I])), ...);
  }

  template <std::size_t... I, std::size_t... J>
  [[gnu::always_inline]] void add_product(const T* a, const T* const (&b)[N], std::ptrdiff_t at,
                                          std::index_sequence<I...> vectors, std::index_sequence<J...>) {
    const vector column[V] = {vector::load_unaligned(a + I * width)...};
    (add_column(column, b[J][at], J, vectors), ...);
  }

  template <std::size_t... I>
  [[gnu::always_inline]] void clear_column(std::size_t j, std::index_sequence<I...>) {
    ((sum[j][I] = vector(T{})), ...);
  }

  template <std::size_t... I>
  [[gnu::always_inline]] static void prefetch_column(const T* c, std::index_sequence<I...>) {
    (__builtin_prefetch(c + I * width, 1), ...);
  }

  template <std::size_t... I>
  [[gnu::always_inline]] void write_column(std::size_t j, T alpha, T beta, T* c, std::index_sequence<I...>) const {
    const vector scale(alpha);
    if (beta == T{})  // what is there may be NaN
      ((scale * sum[j][I]).store_unaligned(c + I * width), ...);
    else
      (multiply_add<T, Set>(scale, sum[j][I], vector(beta) * vector::load_unaligned(c + I * width))
           .store_unaligned(c + I * width),
       ...);
  }

  template <std::size_t... J>
  [[gnu::always_inline]] void run(std::size_t k, const T* a, std::ptrdiff_t a_step, const T* b, std::ptrdiff_t b_row,
                                  std::ptrdiff_t b_column, T alpha, T beta, T* c, std::ptrdiff_t c_column,
                                  std::index_sequence<J...> columns) {
    constexpr every_vector vectors;
    const T* const b_of[N] = {b + static_cast<std::ptrdiff_t>(J) * b_column...};
    (clear_column(J, vectors), ...);
    (prefetch_column(c + static_cast<std::ptrdiff_t>(J) * c_column, vectors), ...);
    std::ptrdiff_t at = 0;
    for (std::size_t p = 0; p < k; ++p, a += a_step, at += b_row) add_product(a, b_of, at, vectors, columns);
    (write_column(J, alpha, beta, c + static_cast<std::ptrdiff_t>(J) * c_column, vectors), ...);
  }
};

/// c = alpha * a * b + beta * c for V registers of rows and N columns; a's columns are `a_step` apart, their rows contiguous.
template <class T, class Set, std::size_t V, std::size_t N>
[[gnu::noinline]] void gemm_micro_kernel(std::size_t k, const T* a, std::ptrdiff_t a_step, const T* b,
                                         std::ptrdiff_t b_row, std::ptrdiff_t b_column, T alpha, T beta, T* c,
                                         std::ptrdiff_t c_column) {
  gemm_micro<T, Set, V, N> tile;
  tile.run(k, a, a_step, b, b_row, b_column, alpha, beta, c, c_column, std::make_index_sequence<N>{});
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
