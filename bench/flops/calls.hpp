// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../place.hpp"
#include "job.hpp"
#include "work.hpp"

#include <corolith/corolith.hpp>
#include <corolith/simd/peak.hpp>

#include <chrono>
#include <cstdint>
#include <thread>

/// What runs in workers.
namespace bench::flops {

/// Prepares a worker, and keeps its slot long enough that other calls go to other slots.
inline place prepare_worker(std::uint32_t, const job& what) {
  prepare(what);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return this_place();
}

inline work_times run_call(std::uint32_t, const job& what) { return work(what); }

struct peak_times {
  place where;
  double flops_per_second = 0;
  double clock_hz = 0;
};

inline peak_times peak_call(std::uint32_t, const job& what, std::uint32_t milliseconds) {
  const std::chrono::milliseconds duration(milliseconds);
  const auto peak = what.is_double ? corolith::simd::measure_peak<double>(duration, what.threads)
                                   : corolith::simd::measure_peak<float>(duration, what.threads);
  return {this_place(), peak.flops_per_second, peak.clock_hz};
}

}  // namespace bench::flops
