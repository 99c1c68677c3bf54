// SPDX-License-Identifier: Apache-2.0
#include <corolith/simd/gemm.hpp>
#include <corolith/simd/gemv.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace simd = corolith::simd;

namespace {

std::mt19937 engine(20240917);

std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine); }

void on_every_set(const auto& job) {
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

template <class T>
const T* nowhere() {
  return nullptr;
}

}  // namespace

TEMPLATE_TEST_CASE("a product of any shape is right to rounding", "[simd]", float, double) {
  on_every_set([] {
    for (int i = 0; i < 300; ++i) check(random_product<TestType>(70));
    for (int i = 0; i < 6; ++i) check(random_product<TestType>(260));
  });
}

TEMPLATE_TEST_CASE("a product of many blocks is right to rounding", "[simd]", float, double) {
  on_every_set([] {
    for (const bool a : {false, true})
      for (const bool b : {false, true}) {
        check<TestType>({301, 233, 1031, 1, 1, {simd::matrix_order::row_major, a, b, 1}});
        check<TestType>({65, 517, 390, TestType(0.5), 0, {simd::matrix_order::column_major, a, b, 2}});
      }
    check<TestType>({700, 9, 600, 1, 2, {}});
    check<TestType>({9, 700, 600, 1, 2, {.threads = 3}});
  });
}

TEMPLATE_TEST_CASE("a product with a vector is right to rounding", "[simd]", float, double) {
  on_every_set([] {
    for (int i = 0; i < 100; ++i) {
      product<TestType> of = random_product<TestType>(200);
      (below(2) == 0 ? of.m : of.n) = 1;
      check(of);
    }
    const matrix<TestType> a(57, 91, true);
    const matrix<TestType> x(91, 1, false);
    std::vector<TestType> y(57, 3);
    simd::gemv<TestType>(57, 91, 2, a.data(), a.leading, x.data(), 1, y.data());
    for (std::size_t i = 0; i < 57; ++i) {
      double sum = 3;
      for (std::size_t p = 0; p < 91; ++p) sum += 2.0 * a(i, p) * x(p, 0);
      CHECK(y[i] == Approx(sum).margin(1e-4));
    }
  });
}

TEMPLATE_TEST_CASE("what beta or alpha makes irrelevant is not read", "[simd]", float, double) {
  using T = TestType;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  on_every_set([&] {
    for (const std::size_t n : {std::size_t{1}, std::size_t{7}, std::size_t{50}}) {
      const std::vector<T> one(n * n, 1);
      std::vector<T> c(n * n, nan);
      simd::gemm<T>(n, n, n, 1, one.data(), n, one.data(), n, 0, c.data(), n);
      CHECK(c == std::vector<T>(n * n, static_cast<T>(n)));
      simd::gemm<T>(n, n, n, 0, nowhere<T>(), n, nowhere<T>(), n, 2, c.data(), n);
      CHECK(c == std::vector<T>(n * n, static_cast<T>(2 * n)));
      simd::gemm<T>(n, n, 0, 1, nowhere<T>(), n, nowhere<T>(), n, 1, c.data(), n);
      CHECK(c == std::vector<T>(n * n, static_cast<T>(2 * n)));
      c.assign(n * n, nan);
      simd::gemm<T>(n, n, n, 0, nowhere<T>(), n, nowhere<T>(), n, 0, c.data(), n);
      CHECK(c == std::vector<T>(n * n, 0));
      simd::gemm<T>(0, n, n, 1, nowhere<T>(), n, one.data(), n, 0, static_cast<T*>(nullptr), n);
      simd::gemm<T>(n, 0, n, 1, one.data(), n, nowhere<T>(), n, 0, static_cast<T*>(nullptr), n);
      // And what is relevant is not lost.
      std::vector<T> a = one;
      a[0] = nan;
      simd::gemm<T>(n, n, n, 1, a.data(), n, one.data(), n, 0, c.data(), n);
      for (std::size_t i = 0; i < n * n; ++i) CHECK(std::isnan(c[i]) == (i < n));
    }
  });
}

TEST_CASE("leading dimensions that are too small are refused", "[simd]") {
  std::vector<double> x(100);
  const auto gemm = [&](std::size_t lda, std::size_t ldb, std::size_t ldc, const simd::gemm_options& options) {
    simd::gemm(2, 3, 4, 1, x.data(), lda, x.data() + 30, ldb, 0, x.data() + 60, ldc, options);
  };
  const simd::gemm_options columns{.order = simd::matrix_order::column_major};
  const simd::gemm_options turned{.transpose_a = true, .transpose_b = true};
  CHECK_NOTHROW(gemm(4, 3, 3, {}));
  CHECK_THROWS_AS(gemm(3, 3, 3, {}), std::invalid_argument);
  CHECK_THROWS_AS(gemm(4, 2, 3, {}), std::invalid_argument);
  CHECK_THROWS_AS(gemm(4, 3, 2, {}), std::invalid_argument);
  CHECK_NOTHROW(gemm(2, 4, 2, columns));
  CHECK_THROWS_AS(gemm(1, 4, 2, columns), std::invalid_argument);
  CHECK_THROWS_AS(gemm(2, 3, 2, columns), std::invalid_argument);
  CHECK_THROWS_AS(gemm(2, 4, 1, columns), std::invalid_argument);
  CHECK_NOTHROW(gemm(2, 4, 3, turned));
  CHECK_THROWS_AS(gemm(1, 4, 3, turned), std::invalid_argument);
  CHECK_THROWS_AS(gemm(2, 3, 3, turned), std::invalid_argument);
}

TEST_CASE("products in several threads do not disturb each other", "[simd]") {
  const std::size_t n = 150;
  const matrix<double> a(n, n, true), b(n, n, true);
  const auto multiply = [&] {
    std::vector<double> c(n * n);
    simd::gemm(n, n, n, 1, a.data(), a.leading, b.data(), b.leading, 0, c.data(), n, {.threads = 2});
    return c;
  };
  const std::vector<double> expected = multiply();
  std::vector<std::vector<double>> seen(4);
  {
    std::vector<std::jthread> threads;
    for (std::vector<double>& mine : seen)
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) mine = multiply();
      });
  }
  for (const std::vector<double>& each : seen) CHECK(each == expected);
}
