// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../place.hpp"
#include "calls.hpp"
#include "job.hpp"

#include <corolith/corolith.hpp>

#include <cstdint>
#include <ranges>
#include <set>
#include <stdexcept>
#include <vector>

namespace bench::flops {

/// What all workers reach together, each at its most.
struct measured_peak {
  double gflops = 0;
  double clock_ghz = 0;  ///< mean
};

inline measured_peak run_peak(corolith::executor& ex, std::size_t workers, const job& what) {
  constexpr std::uint32_t milliseconds = 300;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const std::vector<peak_times> peaks =
        ex.with({.chunk = 1})
            .map<peak_call>(std::views::iota(std::uint32_t{0}, static_cast<std::uint32_t>(workers)), what, milliseconds)
            .get();
    std::set<place> met;
    measured_peak sum;
    for (const peak_times& each : peaks) {
      met.insert(each.where);
      sum.gflops += each.flops_per_second / 1e9;
      sum.clock_ghz += each.clock_hz / 1e9 / static_cast<double>(workers);
    }
    if (met.size() == workers) return sum;
  }
  throw std::runtime_error("the calls that measure the peak did not run on all workers at once");
}

}  // namespace bench::flops
