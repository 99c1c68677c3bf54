// SPDX-License-Identifier: Apache-2.0
#include "products.hpp"

#include <thread>

using namespace simd_test;

TEMPLATE_TEST_CASE("a product on several threads is right to rounding", "[simd]", float, double) {
  on_every_set([] {
    check<TestType>({65, 117, 390, TestType(0.5), 0, {.order = simd::matrix_order::column_major, .threads = 2}});
    check<TestType>({9, 700, 100, 1, 2, {.threads = 3}});
  });
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
