// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../measure.hpp"
#include "../ping_pong.hpp"

#include <corolith/corolith.hpp>

#include <chrono>
#include <cstddef>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench::dispatch {

inline int nothing(int x) { return x; }

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double calls_per_second(corolith::executor& ex, int calls) {
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<int> values = corolith::sync_wait(ex.map<nothing>(std::views::iota(0, calls)));
  const double seconds = seconds_since(begin);
  if (static_cast<int>(values.size()) != calls || values.back() != calls - 1) throw std::runtime_error("wrong results");
  return calls / seconds;
}

inline std::vector<double> call_times_us(corolith::executor& ex, std::size_t rounds) {
  std::vector<double> times;
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const int value = ex.call<nothing>(static_cast<int>(i)).get();
    times.push_back(seconds_since(begin) * 1e6);
    if (value != static_cast<int>(i)) throw std::runtime_error("wrong result");
  }
  return times;
}

/// The rate of a map and the times of single calls, as metrics whose names begin with `prefix`.
inline void measure_noops(corolith::executor& ex, int calls, std::size_t latencies, const std::string& prefix,
                          rounds& into) {
  into.add(prefix + "noop_calls_per_s", calls_per_second(ex, calls));
  call_times_us(ex, latencies / 10);
  const round_trips times = summarise(call_times_us(ex, latencies));
  into.add(prefix + "call_latency_us", times.median_us);
  into.add(prefix + "call_latency_p99_us", times.p99_us);
}

}  // namespace bench::dispatch
