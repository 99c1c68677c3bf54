// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../measure.hpp"
#include "bare_loop.hpp"
#include "summary.hpp"
#include "workers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace bench::flops {

/// Everything once, in turn, so that what slows the machine down for a while slows all of it down.
struct round_result {
  summary map;
  measured_peak peak;
  std::uint32_t failed = 0;
  std::optional<bare_loops::result> bare;
  std::optional<double> numpy_gflops;
  std::optional<double> mpi_gflops;

  double gigaflop() const { return map.total_gflops * map.wall_s; }
  double share_of_peak() const { return map.total_gflops / peak.gflops; }
  std::optional<double> to_numpy() const {
    return numpy_gflops ? std::optional(map.total_gflops / *numpy_gflops) : std::nullopt;
  }
  std::optional<double> bare_gflops() const { return bare ? std::optional(gigaflop() / bare->wall_s) : std::nullopt; }
  std::optional<double> framework_overhead() const { return overhead(map.wall_s); }
  std::optional<double> mpi_overhead() const { return mpi_gflops ? overhead(gigaflop() / *mpi_gflops) : std::nullopt; }

 private:
  /// By how much workers x wall is more than the time that the bare loops took together.
  std::optional<double> overhead(double wall_s) const {
    if (!bare) return std::nullopt;
    return static_cast<double>(map.workers.size()) * wall_s / bare->busy_s - 1;
  }
};

/// With so many calls at a time.
struct scaling_point {
  std::size_t calls_at_a_time = 0;
  double gflops = 0;
  double efficiency = 0;  ///< over so many times the rate of one
};

struct outcome {
  double startup_s = 0;  ///< from the executor to the last worker that is prepared
  std::vector<round_result> rounds;
  std::vector<scaling_point> scaling;

  /// That with the median of rates, which the plots show.
  const round_result& typical() const {
    std::vector<const round_result*> sorted;
    for (const round_result& each : rounds) sorted.push_back(&each);
    std::sort(sorted.begin(), sorted.end(),
              [](const round_result* a, const round_result* b) { return a->map.total_gflops < b->map.total_gflops; });
    return *sorted[sorted.size() / 2];
  }

  /// The median of what `get(round)` says; nothing when it says nothing.
  template <class Get>
  std::optional<double> median_of(Get get) const {
    std::vector<double> values;
    for (const round_result& each : rounds)
      if (const std::optional<double> value = std::invoke(get, each)) values.push_back(*value);
    if (values.empty()) return std::nullopt;
    return median(values);
  }
};

}  // namespace bench::flops
