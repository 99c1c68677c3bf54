// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calls.hpp"
#include "job.hpp"

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <vector>

namespace bench::flops {

struct finished_call {
  std::uint32_t index = 0;
  work_times times;
  corolith::call_stats stats;
};

/// One map, from the moment that it was called to the last result.
struct measured_map {
  std::chrono::system_clock::time_point began;
  double wall_s = 0;
  std::vector<finished_call> calls;  ///< as they came
  std::uint32_t failed = 0;
};

namespace detail {

inline corolith::task<measured_map> collect(corolith::executor ex, std::uint32_t tasks, job what) {
  measured_map all;
  all.calls.reserve(tasks);
  const auto begin = std::chrono::steady_clock::now();
  all.began = std::chrono::system_clock::now();
  corolith::batch<work_times> batch = ex.map<run_call>(std::views::iota(std::uint32_t{0}, tasks), what);
  for (bool more = true; more;) {
    try {
      auto done = co_await batch.next();
      more = done.has_value();
      if (more) all.calls.push_back({done->index, done->value, done->stats});
    } catch (const corolith::error& problem) {
      if (++all.failed == 1) fmt::print(stderr, "flops: a call failed: {}\n", problem.what());
    }
  }
  all.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  co_return all;
}

}  // namespace detail

inline measured_map run_map(corolith::executor& ex, std::uint32_t tasks, const job& what) {
  return corolith::sync_wait(detail::collect(ex, tasks, what));
}

}  // namespace bench::flops
