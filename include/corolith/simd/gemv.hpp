// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/gemm.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {

/// y = alpha * a * x + beta * y for a of m x n elements, float or double. x and y are contiguous; `options` says how a is
/// stored. Everything else is as with gemm, of which this is the case of one column.
template <class T>
void gemv(std::size_t m, std::size_t n, std::type_identity_t<T> alpha, const T* a, std::size_t lda, const T* x,
          std::type_identity_t<T> beta, T* y, const gemm_options& options = {}) {
  const bool by_rows = options.order == matrix_order::row_major;
  gemm<T>(m, 1, n, alpha, a, lda, x, by_rows != options.transpose_b ? 1 : n, beta, y, by_rows ? 1 : m, options);
}

}  // namespace simd
}  // namespace v0
}  // namespace corolith
