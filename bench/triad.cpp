// SPDX-License-Identifier: Apache-2.0
// The bandwidth of memory by STREAM's rules: copy, scale, add and triad through the caches and past them, one thread and all
// processors, beside memcpy on the same arrays and beside a scalar loop.
//   triad [ROUNDS [ELEMENTS]]    elements of 8 bytes in each array; four times the last-level cache when not given
#include "measure.hpp"
#include "report.hpp"

#include <corolith/core/machine.hpp>
#include <corolith/core/number.hpp>
#include <corolith/simd/detail/team.hpp>
#include <corolith/simd/detail/workspace.hpp>
#include <corolith/simd/triad.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

namespace cl = corolith;
namespace simd = corolith::simd;

namespace {

constexpr unsigned repeats = 4;

/// a = b + s * c, one element after another. This file is compiled without vectorisation.
void scalar_triad(double* a, const double* b, const double* c, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) a[i] = b[i] + 0.4 * c[i];
}

/// The best rate of `work`, called for each thread's part of three arrays that the thread has touched first.
double best_rate(std::size_t elements, unsigned threads, double bytes,
                 const std::function<void(double*, double*, double*, std::size_t)>& work) {
  simd::detail::team members(threads, "triad");
  simd::detail::workspace spaces[3];
  double* arrays[3];
  for (int i = 0; i < 3; ++i) arrays[i] = static_cast<double*>(spaces[i].reserve(elements * sizeof(double)));
  const std::size_t part = elements / threads;
  members.run([&](unsigned member) {
    for (double* each : arrays) std::fill(each + part * member, each + part * (member + 1), 1.0);
  });
  double best = 0;
  for (unsigned repeat = 0; repeat < repeats; ++repeat) {
    const double seconds = members.run([&](unsigned member) {
      const std::size_t at = part * member;
      work(arrays[0] + at, arrays[1] + at, arrays[2] + at, part);
    });
    if (repeat != 0) best = std::max(best, bytes * static_cast<double>(part * threads) / seconds);
  }
  return best;
}

void measure(std::size_t& elements, bench::rounds& into) {
  for (const unsigned threads : {1U, static_cast<unsigned>(cl::usable_cpus().size())}) {
    const std::string suffix = threads == 1 ? "" : "_all_processors";
    for (const simd::stores kind : {simd::stores::ordinary, simd::stores::streaming}) {
      const std::string name = kind == simd::stores::ordinary ? "_ordinary" : "_streaming";
      const simd::bandwidth seen =
          simd::measure_triad({.elements = elements, .threads = threads, .repeats = repeats, .kind = kind});
      if (!seen.verified) throw std::runtime_error("the arrays do not hold what they should");
      elements = seen.elements;
      into.add("copy" + name + suffix, seen.copy);
      into.add("scale" + name + suffix, seen.scale);
      into.add("add" + name + suffix, seen.add);
      into.add("triad" + name + suffix, seen.triad);
    }
    into.add("memcpy" + suffix, best_rate(elements, threads, 16, [](double* a, double* b, double*, std::size_t size) {
               std::memcpy(a, b, size * sizeof(double));
             }));
    into.add("triad_scalar" + suffix,
             best_rate(elements, threads, 24,
                       [](double* a, double* b, double* c, std::size_t size) { scalar_triad(a, b, c, size); }));
    if (cl::usable_cpus().size() == 1) break;
  }
}

void report(const bench::rounds& seen, const std::string& suffix) {
  const auto line = [&](const std::string& metric, const std::string& to) {
    bench::report("triad", metric, seen.median(metric) / 1e9, "GB/s", bench::comparison{seen.ratio(metric, to), to});
  };
  if (suffix.empty())
    bench::report("triad", "memcpy", seen.median("memcpy") / 1e9, "GB/s");
  else
    line("memcpy" + suffix, "memcpy");
  line("triad_scalar" + suffix, "memcpy" + suffix);
  for (const char* kind : {"_ordinary", "_streaming"})
    for (const char* operation : {"copy", "scale", "add", "triad"})
      line(operation + (kind + suffix), "memcpy" + suffix);
  for (const char* kind : {"_ordinary", "_streaming"}) {
    const std::string metric = "triad" + (kind + suffix);
    bench::report("triad", metric + "_beside_scalar", seen.median(metric) / 1e9, "GB/s",
                  bench::comparison{seen.ratio(metric, "triad_scalar" + suffix), "triad_scalar" + suffix});
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? cl::whole_number<int>(argv[1]).value_or(0) : 3;
  std::size_t elements = argc > 2 ? cl::whole_number<std::size_t>(argv[2]).value_or(0) : 0;
  if (argc > 3 || count < 1 || (argc > 2 && elements == 0)) {
    std::fprintf(stderr, "usage: triad [ROUNDS [ELEMENTS]]\n");
    return 2;
  }
  bench::rounds seen;
  for (int round = 1; round <= count; ++round) {
    std::fprintf(stderr, "triad: round %d of %d\n", round, count);
    measure(elements, seen);
  }
  bench::report("triad", "array", static_cast<double>(elements) * 8 / 1e6, "MB");
  report(seen, "");
  if (cl::usable_cpus().size() > 1) report(seen, "_all_processors");
  return 0;
}
