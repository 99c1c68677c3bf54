// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/gemv_problem.hpp>

#include <cstddef>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Each element of the matrix is used once, so that memory is the limit: all there is to do is to read N rows or columns at
/// a time, for y or x is then read and written once for N of them.
template <class T, class Set>
struct gemv_loops {
  using vector = batch<T, Set>;
  static constexpr std::size_t width = lanes<T, Set>;

  const gemv_problem<T>& problem;

  const T* at(std::size_t i, std::size_t p) const {
    return problem.a + static_cast<std::ptrdiff_t>(i) * problem.a_row +
           static_cast<std::ptrdiff_t>(p) * problem.a_column;
  }

  /// y += the columns from p up to p + N, times their elements of x.
  template <std::size_t... J>
  void add_columns(std::size_t p, std::index_sequence<J...>) const {
    const T* const column[] = {at(0, p + J)...};
    const vector x[] = {vector(problem.x[p + J])...};
    std::size_t i = 0;
    for (; i + width <= problem.m; i += width) {
      vector sum = vector::load_unaligned(problem.y + i);
      ((sum = multiply_add<T, Set>(vector::load_unaligned(column[J] + i), x[J], sum)), ...);
      sum.store_unaligned(problem.y + i);
    }
    for (; i < problem.m; ++i) ((problem.y[i] += column[J][i] * problem.x[p + J]), ...);
  }

  /// The elements of y from i up to i + N, each the product of a row and x.
  template <std::size_t... J>
  void multiply_rows(std::size_t i, std::index_sequence<J...>) const {
    const T* const row[] = {at(i + J, 0)...};
    vector sum[] = {(static_cast<void>(J), vector(T{}))...};
    std::size_t p = 0;
    for (; p + width <= problem.k; p += width) {
      const vector x = vector::load_unaligned(problem.x + p);
      ((sum[J] = multiply_add<T, Set>(vector::load_unaligned(row[J] + p), x, sum[J])), ...);
    }
    T total[] = {add_lanes(sum[J])...};
    for (; p < problem.k; ++p) ((total[J] += row[J][p] * problem.x[p]), ...);
    ((problem.y[i + J] = total[J]), ...);
  }

  static T add_lanes(const vector& sum) {
    alignas(64) T lane[width];
    sum.store_aligned(lane);
    T total{};
    for (std::size_t i = 0; i < width; ++i) total += lane[i];
    return total;
  }

  void run() const {
    constexpr std::make_index_sequence<8> eight;
    constexpr std::make_index_sequence<1> one;
    std::size_t done = 0;
    if (problem.a_column == 1) {
      for (; done + 8 <= problem.m; done += 8) multiply_rows(done, eight);
      for (; done < problem.m; ++done) multiply_rows(done, one);
      return;
    }
    for (std::size_t i = 0; i < problem.m; ++i) problem.y[i] = T{};
    for (; done + 8 <= problem.k; done += 8) add_columns(done, eight);
    for (; done < problem.k; ++done) add_columns(done, one);
  }
};

template <class Set, class T>
void gemv_kernel::operator()(Set, const gemv_problem<T>& problem) const {
  gemv_loops<T, Set>{problem}.run();
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
