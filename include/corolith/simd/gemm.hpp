// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/gemm_driver.hpp>
#include <corolith/simd/detail/gemm_threads.hpp>
#if !defined(COROLITH_SIMD_DISPATCH)
#include <corolith/simd/impl/gemm_kernel.hpp>
#endif

#include <cstddef>
#include <stdexcept>
#include <type_traits>

namespace corolith {
inline namespace v0 {
namespace simd {

enum class matrix_order { row_major, column_major };

/// How gemm is to read its matrices, and on how many threads.
struct gemm_options {
  matrix_order order = matrix_order::row_major;  ///< of all three
  bool transpose_a = false;                      ///< a is stored as k x m
  bool transpose_b = false;                      ///< b is stored as n x k
  unsigned threads = 1;                          ///< at most; small products take fewer
};

/// c = alpha * a * b + beta * c for a of m x k, b of k x n, c of m x n elements, float or double.
///
/// A leading dimension is the distance of two rows (row_major) or columns (column_major) in elements; it is not less than what
/// such a row or column holds, else std::invalid_argument. c must not overlap a or b. As in BLAS, where beta is 0 what c
/// holds is not read, and where alpha or k is 0 neither are a and b. Sums are not in order: results differ in the last digits
/// from those of a plain loop, and between instruction sets, but not between two runs with the same arguments.
/// Keeps memory for packed blocks of a and b for the thread's next call. Thread-safe; throws std::bad_alloc.
template <class T>
void gemm(std::size_t m, std::size_t n, std::size_t k, std::type_identity_t<T> alpha, const T* a, std::size_t lda,
          const T* b, std::size_t ldb, std::type_identity_t<T> beta, T* c, std::size_t ldc,
          const gemm_options& options = {}) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "gemm is for float and double");
  const bool by_rows = options.order == matrix_order::row_major;
  const bool a_by_rows = by_rows != options.transpose_a;
  const bool b_by_rows = by_rows != options.transpose_b;
  if (lda < (a_by_rows ? k : m)) throw std::invalid_argument("gemm: lda is less than what a row or column of a holds");
  if (ldb < (b_by_rows ? n : k)) throw std::invalid_argument("gemm: ldb is less than what a row or column of b holds");
  if (ldc < (by_rows ? n : m)) throw std::invalid_argument("gemm: ldc is less than what a row or column of c holds");
  const auto of_a = static_cast<std::ptrdiff_t>(lda);
  const auto of_b = static_cast<std::ptrdiff_t>(ldb);
  const detail::gemm_problem<T> problem{m,
                                        n,
                                        k,
                                        alpha,
                                        beta,
                                        a,
                                        a_by_rows ? of_a : 1,
                                        a_by_rows ? 1 : of_a,
                                        b,
                                        b_by_rows ? of_b : 1,
                                        b_by_rows ? 1 : of_b,
                                        c,
                                        static_cast<std::ptrdiff_t>(ldc)};
  detail::gemm_on_threads(by_rows ? problem.transposed() : problem, options.threads);
}

}  // namespace simd
}  // namespace v0
}  // namespace corolith
