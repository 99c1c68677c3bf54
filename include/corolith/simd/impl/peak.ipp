// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/clock_chain.hpp>
#include <corolith/simd/detail/team.hpp>
#include <corolith/simd/peak.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// How many rounds take about 250 microseconds on one thread.
inline std::uint64_t rounds_of_a_window(double (*flops)(std::uint64_t)) {
  using clock = std::chrono::steady_clock;
  for (std::uint64_t rounds = 64;; rounds *= 2) {
    const clock::time_point begin = clock::now();
    flops(rounds);
    if (clock::now() - begin >= std::chrono::microseconds(125)) return rounds * 2;
  }
}

COROLITH_DECL peak measure_peak(double (*flops)(std::uint64_t), std::chrono::nanoseconds duration, unsigned threads) {
  using clock = std::chrono::steady_clock;
  const clock::time_point begin = clock::now();
  team members(threads, "measure_peak");
  peak result{.set = active_instruction_set(), .threads = threads};
  const std::uint64_t rounds = rounds_of_a_window(flops);
  std::vector<double> done(threads), clocks(threads);
  double all_flops = 0, all_seconds = 0;
  for (int window = 0; window < 3 || clock::now() - begin < duration; ++window) {
    const double seconds = members.run([&](unsigned member) { done[member] = flops(rounds); });
    const double window_flops = std::accumulate(done.begin(), done.end(), 0.0);
    result.flops_per_second = std::max(result.flops_per_second, window_flops / seconds);
    all_flops += window_flops;
    all_seconds += seconds;
    members.run([&](unsigned member) { clocks[member] = std::max(clocks[member], clock_by_additions()); });
  }
  result.mean_flops_per_second = all_flops / all_seconds;
  result.clock_hz = std::accumulate(clocks.begin(), clocks.end(), 0.0) / threads;
  result.flops_per_cycle = result.flops_per_second / threads / result.clock_hz;
  return result;
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
