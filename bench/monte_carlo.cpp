// SPDX-License-Identifier: Apache-2.0
// Samples of the quarter circle per second: each instruction set beside a loop over std::mt19937_64, beside a scalar loop with
// the same generator, and beside what the multiplications of the generator would allow if nothing else were to be done.
//   monte_carlo [ROUNDS]
#include "measure.hpp"
#include "multiply_limit.hpp"
#include "report.hpp"

#include <corolith/core/number.hpp>
#include <corolith/simd/detail/philox.hpp>
#include <corolith/simd/monte_carlo.hpp>
#include <corolith/simd/peak.hpp>

#include <cstdint>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>

namespace cl = corolith;
namespace simd = corolith::simd;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t samples = 240'000, scalar_samples = 20'000;
constexpr double products_per_sample = 11;  // 18 in the ten rounds of two samples, and four squares

// This file is compiled without vectorisation.
std::uint64_t count_mersenne_twister(std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::uint64_t count = 0;
  for (std::uint64_t sample = 0; sample < scalar_samples; ++sample) {
    const double x = uniform(random), y = uniform(random);
    count += x * x + y * y < 1;
  }
  return count;
}

std::uint64_t count_scalar(std::uint32_t seed) {
  std::uint64_t count = 0;
  for (std::uint32_t block = 0; block < scalar_samples / 2; ++block) {
    const simd::detail::philox_block words = simd::detail::philox({block, 0, 0, 0}, {seed, 0});
    const std::uint64_t x = words[0], y = words[1], z = words[2], w = words[3];
    count += (x * x <= ~(y * y)) + (z * z <= ~(w * w));
  }
  return count;
}

void check(std::uint64_t count, std::uint64_t expected) {
  if (count != expected) throw std::runtime_error("wrong count");
}

void measure(bench::rounds& into) {
  std::mt19937_64 random(42);
  std::uint64_t all = 0, inside = 0;
  into.add("mt19937_64", bench::best_rate(50ms, [&] {
             inside += count_mersenne_twister(random);
             all += scalar_samples;
             return static_cast<double>(scalar_samples);
           }));
  const double share = static_cast<double>(inside) / static_cast<double>(all);
  if (share < 0.75 || share > 0.82) throw std::runtime_error("the loop over std::mt19937_64 is wrong");
  const std::uint64_t expected = simd::count_in_quarter_circle(42, 0, scalar_samples);
  into.add("scalar_philox", bench::best_rate(50ms, [&] {
             check(count_scalar(42), expected);
             return static_cast<double>(scalar_samples);
           }));
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    simd::use_instruction_set(set);
    const std::string name(simd::name_of(set));
    static const std::uint64_t whole = simd::count_in_quarter_circle(42, 0, samples);
    into.add(name, bench::best_rate(50ms, [&] {
               check(simd::count_in_quarter_circle(42, 0, samples), whole);
               return static_cast<double>(samples);
             }));
    into.add(name + "_clock", simd::measure_peak<double>(20ms).clock_hz);
#if defined(__x86_64__)
    into.add(name + "_multiply_limit",
             bench::best_rate(20ms, [&] { return bench::multiply(set); }) / products_per_sample);
#endif
  }
}

void report(const bench::rounds& seen) {
  const auto line = [&](const std::string& metric, const std::string& of, const std::string& to) {
    bench::report("monte_carlo", metric, seen.median(of) / 1e6, "Msamples/s",
                  bench::comparison{seen.ratio(of, to), to});
  };
  bench::report("monte_carlo", "mt19937_64", seen.median("mt19937_64") / 1e6, "Msamples/s");
  line("scalar_philox", "scalar_philox", "mt19937_64");
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    const std::string name(simd::name_of(set));
    line(name, name, "mt19937_64");
    line(name + "_beside_same_generator", name, "scalar_philox");
#if defined(__x86_64__)
    line(name + "_beside_limit", name, name + "_multiply_limit");
#endif
    bench::report("monte_carlo", name + "_cycles_per_sample", seen.ratio(name + "_clock", name), "cycles");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? cl::whole_number<int>(argv[1]).value_or(0) : 5;
  if (argc > 2 || count < 1) {
    std::fprintf(stderr, "usage: monte_carlo [ROUNDS]\n");
    return 2;
  }
  bench::rounds seen;
  for (int round = 1; round <= count; ++round) {
    std::fprintf(stderr, "monte_carlo: round %d of %d\n", round, count);
    measure(seen);
  }
  report(seen);
  return 0;
}
