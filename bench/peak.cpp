// SPDX-License-Identifier: Apache-2.0
// The multiply-adds per second that this machine can do, on registers alone: for double and float, each instruction set, one
// thread and all processors, beside the same chains of scalars and beside what two units a cycle give.
//   peak [ROUNDS]
#include "measure.hpp"
#include "report.hpp"

#include <corolith/core/machine.hpp>
#include <corolith/core/number.hpp>
#include <corolith/simd/peak.hpp>

#include <cstdio>
#include <string>
#include <utility>

namespace cl = corolith;
namespace simd = corolith::simd;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t scalar_rounds = 20'000;

// This file is compiled without vectorisation.
template <class T, std::size_t... I>
double scalar(std::index_sequence<I...>) {
  T factor = T(1.25), summand = T(0.7);
  asm volatile("" : "+m"(factor), "+m"(summand));  // no compiler may see that the steps undo each other
  const T back_factor = 1 / factor, back_summand = -summand / factor;
  T x[] = {T(1) + T(0.04) * T(I)...};
  for (std::uint64_t round = 0; round < scalar_rounds; ++round) {
    ((x[I] = x[I] * factor + summand), ...);
    ((x[I] = x[I] * back_factor + back_summand), ...);
  }
  T sum = (x[I] + ...);
  asm volatile("" : : "m"(sum));
  return static_cast<double>(scalar_rounds * 4 * sizeof...(I));
}

template <class T>
void measure(const std::string& type, bench::rounds& into) {
  into.add(type + "_scalar", bench::best_rate(50ms, [] { return scalar<T>(std::make_index_sequence<12>{}); }));
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    simd::use_instruction_set(set);
    const std::string name = type + "_" + std::string(simd::name_of(set));
    const simd::peak one = simd::measure_peak<T>(50ms);
    const simd::peak all = simd::measure_peak<T>(100ms, static_cast<unsigned>(cl::usable_cpus().size()));
    into.add(name, one.flops_per_second);
    into.add(name + "_mean", one.mean_flops_per_second);
    into.add(name + "_all_processors", all.flops_per_second);
    into.add(name + "_per_cycle", one.flops_per_cycle);
    into.add(name + "_clock", one.clock_hz);
    into.add(name + "_two_units", 4.0 * static_cast<double>(simd::register_size(set) / sizeof(T)));
  }
}

void report(const std::string& type, const bench::rounds& seen) {
  const std::string scalar = type + "_scalar";
  bench::report("peak", scalar, seen.median(scalar) / 1e9, "GFLOPS");
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    const std::string name = type + "_" + std::string(simd::name_of(set));
    const auto line = [&](const std::string& metric, double scale, const char* unit, const std::string& to) {
      bench::report("peak", metric, seen.median(metric) / scale, unit, bench::comparison{seen.ratio(metric, to), to});
    };
    line(name, 1e9, "GFLOPS", scalar);
    line(name + "_mean", 1e9, "GFLOPS", name);
    line(name + "_all_processors", 1e9, "GFLOPS", name);
    line(name + "_per_cycle", 1, "flops/cycle", name + "_two_units");
    bench::report("peak", name + "_clock", seen.median(name + "_clock") / 1e9, "GHz");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? cl::whole_number<int>(argv[1]).value_or(0) : 5;
  if (argc > 2 || count < 1) {
    std::fprintf(stderr, "usage: peak [ROUNDS]\n");
    return 2;
  }
  bench::rounds seen;
  for (int round = 1; round <= count; ++round) {
    std::fprintf(stderr, "peak: round %d of %d\n", round, count);
    measure<double>("double", seen);
    measure<float>("float", seen);
  }
  report("double", seen);
  report("float", seen);
  return 0;
}
