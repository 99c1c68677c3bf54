// SPDX-License-Identifier: Apache-2.0
// Products of matrices beside naive ones in a higher precision.
#pragma once

#include <corolith/simd/gemm.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace simd_test {

namespace simd = corolith::simd;

inline std::mt19937 engine(20240917);

inline std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine); }

inline void on_every_set(const auto& job) {
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    INFO(simd::name_of(set));
    simd::use_instruction_set(set);
    job();
  }
  simd::use_instruction_set(simd::usable_instruction_sets().back());
}

/// A matrix as gemm takes it. Holds not one element more than it must, so that a sanitizer sees what is read beyond, and
/// begins `shift` elements after what an allocator aligns.
template <class T>
struct matrix {
  std::size_t rows, columns, leading, shift;
  bool by_rows;
  std::vector<T> values;

  matrix(std::size_t m, std::size_t n, bool stored_by_rows)
      : rows(m), columns(n), leading((stored_by_rows ? n : m) + below(5)), shift(below(3)), by_rows(stored_by_rows) {
    const std::size_t lines = by_rows ? m : n;
    const std::size_t line = by_rows ? n : m;
    values.resize(shift + (lines == 0 ? 0 : (lines - 1) * leading + line));
    std::uniform_real_distribution<T> uniform(-1, 1);
    for (T& each : values) each = uniform(engine);
  }
  T* data() { return values.data() + shift; }
  const T* data() const { return values.data() + shift; }
  std::size_t index(std::size_t i, std::size_t j) const {
    return shift + (by_rows ? i * leading + j : j * leading + i);
  }
  T operator()(std::size_t i, std::size_t j) const { return values[index(i, j)]; }
};

template <class T>
struct product {
  std::size_t m, n, k;
  T alpha, beta;
  simd::gemm_options options;

  bool by_rows() const { return options.order == simd::matrix_order::row_major; }
  std::string name() const {
    std::ostringstream text;
    text << m << " x " << n << " x " << k << ", alpha " << alpha << ", beta " << beta
         << (by_rows() ? ", rows" : ", columns") << (options.transpose_a ? ", a transposed" : "")
         << (options.transpose_b ? ", b transposed" : "") << ", " << options.threads << " threads";
    return text.str();
  }
};

/// The largest error in units of what a sum of k products may be wrong by; or more than 1 when something else was written.
template <class T>
double error_of(const product<T>& of, const matrix<T>& a, const matrix<T>& b, const matrix<T>& before,
                const matrix<T>& after) {
  double worst = 0;
  std::vector<bool> belongs(after.values.size());
  for (std::size_t i = 0; i < of.m; ++i)
    for (std::size_t j = 0; j < of.n; ++j) {
      long double sum = 0, size = 0;
      for (std::size_t p = 0; p < of.k && of.alpha != T{}; ++p) {
        const long double term = static_cast<long double>(a(i, p)) * b(p, j);
        sum += term;
        size += std::abs(term);
      }
      const long double old = of.beta == T{} ? 0 : static_cast<long double>(of.beta) * before(i, j);
      const long double exact = of.alpha * sum + old;
      const long double bound =
          static_cast<long double>(std::numeric_limits<T>::epsilon()) *
              (static_cast<long double>(of.k + 4) * std::abs(of.alpha) * size + 4 * std::abs(old)) +
          std::numeric_limits<T>::min();
      const long double error = std::abs(after(i, j) - exact) / bound;
      if (!(error <= static_cast<long double>(worst))) worst = std::isnan(error) ? 1e9 : static_cast<double>(error);
      belongs[after.index(i, j)] = true;
    }
  for (std::size_t at = 0; at < belongs.size(); ++at)
    if (!belongs[at] && after.values[at] != before.values[at]) return 1e9;
  return worst;
}

template <class T>
void check(const product<T>& of) {
  INFO(of.name());
  const matrix<T> a(of.m, of.k, of.by_rows() != of.options.transpose_a);
  const matrix<T> b(of.k, of.n, of.by_rows() != of.options.transpose_b);
  matrix<T> c(of.m, of.n, of.by_rows());
  const matrix<T> before = c;
  simd::gemm(of.m, of.n, of.k, of.alpha, a.data(), a.leading, b.data(), b.leading, of.beta, c.data(), c.leading,
             of.options);
  CHECK(error_of(of, a, b, before, c) <= 1);
}

template <class T>
product<T> random_product(std::size_t most) {
  const T scales[] = {0, 1, -1, T(0.75), T(-2.5)};
  return {below(most),
          below(most),
          below(most),
          scales[below(5)],
          scales[below(5)],
          {below(2) == 0 ? simd::matrix_order::row_major : simd::matrix_order::column_major, below(2) == 0,
           below(2) == 0, static_cast<unsigned>(1 + below(3))}};
}

}  // namespace simd_test
