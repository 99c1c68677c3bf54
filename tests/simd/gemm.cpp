// SPDX-License-Identifier: Apache-2.0
#include "products.hpp"

#include <corolith/simd/gemv.hpp>

#include <stdexcept>

using namespace simd_test;

namespace {

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
