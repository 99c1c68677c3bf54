// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/dispatch.hpp>
#include <corolith/simd/detail/gemv_problem.hpp>
#include <corolith/simd/detail/workspace.hpp>
#if !defined(COROLITH_SIMD_DISPATCH)
#include <corolith/simd/impl/gemv_kernel.hpp>
#endif

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Elements that are a distance apart.
template <class T>
struct strided {
  T* first;
  std::ptrdiff_t step;

  T& operator[](std::size_t i) const { return first[static_cast<std::ptrdiff_t>(i) * step]; }
};

/// y = alpha * a * x + beta * y, of the problem's a, m and k; by contiguous copies of x and y. `space` holds them.
template <class T>
void gemv_strided(gemv_problem<T> problem, T alpha, strided<const T> x, T beta, strided<T> y, workspace& space) {
  auto* const memory = static_cast<T*>(space.reserve((problem.k + problem.m) * sizeof(T)));
  for (std::size_t p = 0; p < problem.k; ++p) memory[p] = x[p];
  problem.x = memory;
  problem.y = memory + problem.k;
  dispatch(gemv_kernel{}, problem);
  for (std::size_t i = 0; i < problem.m; ++i)
    y[i] = beta == T{} ? alpha * problem.y[i] : alpha * problem.y[i] + beta * y[i];
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
