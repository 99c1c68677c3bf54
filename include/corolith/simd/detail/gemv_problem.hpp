// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// y = a * x for a of m x k elements, (i, p) at a[i * a_row + p * a_column], one of which is 1; x and y are contiguous.
template <class T>
struct gemv_problem {
  std::size_t m = 0, k = 0;
  const T* a = nullptr;
  std::ptrdiff_t a_row = 0, a_column = 0;
  const T* x = nullptr;
  T* y = nullptr;
};

struct gemv_kernel {
  template <class Set, class T>
  void operator()(Set, const gemv_problem<T>& problem) const;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
