// SPDX-License-Identifier: Apache-2.0
// Somebody's program with kernels: header-only, or with a library that corolith_add_kernels made for it.
#include <corolith/simd/gemm.hpp>
#include <corolith/simd/monte_carlo.hpp>
#include <corolith/simd/peak.hpp>
#include <corolith/simd/triad.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace simd = corolith::simd;

int main() {
  const double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
  double c[4];
  simd::gemm<double>(2, 2, 2, 1.0, a, 2, b, 2, 0.0, c, 2);
  const bool measured = simd::measure_peak<float>(std::chrono::milliseconds(1)).flops_per_second > 0 &&
                        simd::measure_triad({.elements = 1000, .repeats = 2}).verified;
  std::printf("%llu inside, product %g %g %g %g, %s, %zu usable\n",
              static_cast<unsigned long long>(simd::count_in_quarter_circle(42, 0, 524'288)), c[0], c[1], c[2], c[3],
              measured ? "measured" : "not measured", simd::usable_instruction_sets().size());
  return 0;
}
