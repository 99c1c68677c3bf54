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

/// What the innermost loop works on: c = alpha * a * b + beta * c for `k` columns of a, whose rows are contiguous and whose
/// columns are `a_step` apart, and rows of b.
template <class T>
struct gemm_micro_work {
  std::size_t k;
  T alpha, beta;
  const T* a;
  std::ptrdiff_t a_step;
  const T* b;
  std::ptrdiff_t b_row, b_column;
  T* c;
  std::ptrdiff_t c_column;
  const char* later;          ///< what is needed soon, in bytes: fetched into the cache on the way
  std::ptrdiff_t later_step;  ///< for each column of a
};

/// The innermost loop: V registers of rows by N columns of c, in registers while k columns of a and rows of b stream by.
/// All is unrolled by templates, since an array that is indexed by a loop would live in memory.
template <class T, class Set, std::size_t V, std::size_t N>
struct gemm_micro {
  using vector = batch<T, Set>;
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

  /// The columns of c are fetched one after the other on the way: all at once, they would stop the loop until some have come.
  template <std::size_t... J>
  [[gnu::always_inline]] void run(const gemm_micro_work<T>& work, std::index_sequence<J...> columns) {
    constexpr std::make_index_sequence<V> vectors;
    const T* const b[N] = {work.b + static_cast<std::ptrdiff_t>(J) * work.b_column...};
    (clear_column(J, vectors), ...);
    const T* a = work.a;
    const char* later = work.later;
    std::ptrdiff_t at = 0;
    const auto add_products = [&](std::size_t count) __attribute__((always_inline)) {
      for (std::size_t p = 0; p < count; ++p, a += work.a_step, at += work.b_row, later += work.later_step) {
        __builtin_prefetch(later, 0, 2);
        add_product(a, b, at, vectors, columns);
      }
    };
    const std::size_t between = work.k / (2 * N);
    for (std::size_t j = 0; j < N; ++j) {
      prefetch_column(work.c + static_cast<std::ptrdiff_t>(j) * work.c_column, vectors);
      add_products(between);
    }
    add_products(work.k - between * N);
    (write_column(J, work.alpha, work.beta, work.c + static_cast<std::ptrdiff_t>(J) * work.c_column, vectors), ...);
  }
};

template <class T, class Set, std::size_t V, std::size_t N>
[[gnu::noinline]] void gemm_micro_kernel(const gemm_micro_work<T>& work) {
  gemm_micro<T, Set, V, N> tile;
  tile.run(work, std::make_index_sequence<N>{});
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
