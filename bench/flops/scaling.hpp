// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calls.hpp"
#include "outcome.hpp"
#include "settings.hpp"

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

/// How the rate grows with the number of calls at a time.
namespace bench::flops {
namespace detail {

inline corolith::task<void> one_after_another(corolith::executor ex, std::uint32_t calls, job what) {
  for (std::uint32_t i = 0; i < calls; ++i) co_await ex.call<run_call>(i, what);
}

inline corolith::task<void> side_by_side(corolith::executor ex, std::uint32_t lines, std::uint32_t calls, job what) {
  std::vector<corolith::task<void>> all;
  for (std::uint32_t i = 0; i < lines; ++i)
    all.push_back(one_after_another(ex, calls / lines + (i < calls % lines ? 1 : 0), what));
  co_await corolith::when_all(std::move(all));
}

}  // namespace detail

/// 1, 2, 4, ... calls at a time, and as many as there are workers, each for about as long as the map takes.
inline std::vector<scaling_point> measure_scaling(corolith::executor& ex, const settings& with, std::size_t workers) {
  std::vector<scaling_point> points;
  for (std::size_t at_a_time = 1; at_a_time <= workers;
       at_a_time = at_a_time < workers ? std::min(2 * at_a_time, workers) : workers + 1) {
    fmt::print(stderr, "flops: {} at a time\n", counted(at_a_time, "call"));
    const std::size_t calls = std::max(at_a_time, with.tasks * at_a_time / workers);
    const auto begin = std::chrono::steady_clock::now();
    corolith::sync_wait(
        detail::side_by_side(ex, static_cast<std::uint32_t>(at_a_time), static_cast<std::uint32_t>(calls), with.what));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double gflops = with.what.flop() * static_cast<double>(calls) / seconds / 1e9;
    points.push_back(
        {at_a_time, gflops, points.empty() ? 1 : gflops / static_cast<double>(at_a_time) / points[0].gflops});
  }
  return points;
}

}  // namespace bench::flops
