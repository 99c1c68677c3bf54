// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/simd/peak.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <string>

namespace simd = corolith::simd;
using namespace std::chrono_literals;

namespace {

/// No processor so far has more units for multiplications and additions than two of a register on x86, four on Arm (where a
/// multiplication and an addition that are not fused may run in two pairs).
double most_flops_per_cycle(simd::instruction_set set, std::size_t size_of_element) {
  const double units = set == simd::instruction_set::neon ? 4 : 2;
  return 2 * units * static_cast<double>(simd::register_size(set) / size_of_element);
}

template <class T>
void check(unsigned threads) {
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    INFO(simd::name_of(set) << ", " << threads << " threads");
    simd::use_instruction_set(set);
    const simd::peak seen = simd::measure_peak<T>(30ms, threads);
    CHECK(seen.set == set);
    CHECK(seen.threads == threads);
    CHECK(std::isfinite(seen.flops_per_second));
    CHECK(seen.flops_per_second > 0);
    CHECK(seen.mean_flops_per_second > 0);
    CHECK(seen.mean_flops_per_second <= seen.flops_per_second);
    CHECK(seen.clock_hz > 0);
    CHECK(seen.flops_per_cycle == Approx(seen.flops_per_second / threads / seen.clock_hz));
    CHECK(seen.flops_per_cycle < 1.25 * most_flops_per_cycle(set, sizeof(T)));
  }
  simd::use_instruction_set(simd::usable_instruction_sets().back());
}

/// The chains come back to where they began, and what is counted is two for each element of each step.
template <class T>
void check_kernel(T tolerance) {
  using namespace simd::detail;
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    INFO(simd::name_of(set));
    simd::use_instruction_set(set);
    const peak_numbers<T> numbers;
    const peak_work<T> none = dispatch(peak_kernel<T>{}, numbers, std::uint64_t{0});
    const peak_work<T> one = dispatch(peak_kernel<T>{}, numbers, std::uint64_t{1});
    const peak_work<T> many = dispatch(peak_kernel<T>{}, numbers, std::uint64_t{10'000});
    CHECK(none.flops == 0);
    CHECK(one.flops % (4 * simd::register_size(set) / sizeof(T)) == 0);
    CHECK(many.flops == 10'000 * one.flops);
    const T chains = static_cast<T>(one.flops) / static_cast<T>(4 * simd::register_size(set) / sizeof(T));
    CHECK(none.mean == Approx(numbers.start + (chains - 1) / 2 * numbers.distance));
    CHECK(std::abs(many.mean - none.mean) < tolerance);
  }
  simd::use_instruction_set(simd::usable_instruction_sets().back());
}

}  // namespace

TEST_CASE("the peak of double is within what units can do, with every instruction set") { check<double>(1); }
TEST_CASE("the peak of float is within what units can do, with every instruction set") { check<float>(1); }
TEST_CASE("the peak of two threads, and of more than there are processors") {
  check<double>(2);
  check<float>(5);
}

TEST_CASE("the loop of doubles stays among normal numbers") { check_kernel<double>(1e-9); }
TEST_CASE("the loop of floats stays among normal numbers") { check_kernel<float>(0.05F); }

TEST_CASE("a peak of no threads is misuse") {
  CHECK_THROWS_AS(simd::measure_peak<double>(1ms, 0), corolith::error);
  CHECK_THROWS_WITH(simd::measure_peak<float>(1ms, 0), "measure_peak: give it at least one thread");
}
