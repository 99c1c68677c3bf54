// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../measured_map.hpp"
#include "calls.hpp"
#include "job.hpp"

#include <corolith/corolith.hpp>

#include <cstdint>
#include <ranges>

namespace bench::flops {

using measured_map = bench::measured_map<work_times>;

inline measured_map run_map(corolith::executor& ex, std::uint32_t tasks, const job& what) {
  return corolith::sync_wait(
      collect<work_times>("flops", [&] { return ex.map<run_call>(std::views::iota(std::uint32_t{0}, tasks), what); }));
}

}  // namespace bench::flops
