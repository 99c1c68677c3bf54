// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calls.hpp"
#include "settings.hpp"

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench::flops {

namespace detail {

inline std::size_t agents_of(const std::set<place>& workers) {
  std::set<std::string> names;
  for (const place& worker : workers) names.insert(worker.agent);
  return names.size();
}

/// The workers that `calls` calls at once meet, prepared.
inline std::set<place> meet(corolith::executor& ex, std::uint32_t calls, const job& what) {
  const std::vector<place> places =
      ex.with({.chunk = 1}).map<prepare_worker>(std::views::iota(std::uint32_t{0}, calls), what).get();
  return {places.begin(), places.end()};
}

}  // namespace detail

/// Every worker there is, started and prepared. A driver does not know how many slots its agents have; more calls than slots, each of
/// which keeps its slot for a while, meet them all.
inline std::set<place> start_workers(corolith::executor& ex, const settings& with) {
  constexpr std::chrono::seconds patience(30);  // for agents that are slower than the first
  const std::uint32_t agents = std::max(1U, with.options.agents);
  std::uint32_t calls = 2 * agents * std::max(1U, with.options.slots);
  std::set<place> workers;
  const auto begin = std::chrono::steady_clock::now();
  for (bool complete = false; !complete;) {
    std::set<place> met = detail::meet(ex, calls, with.what);
    const bool all_agents = detail::agents_of(met) >= agents;
    complete =
        met == workers && met.size() < calls && (all_agents || std::chrono::steady_clock::now() - begin > patience);
    if (met.size() >= calls) calls *= 2;
    workers = std::move(met);
  }
  if (detail::agents_of(workers) < agents)
    fmt::print(stderr, "flops: only {} of {} agents are there\n", detail::agents_of(workers), agents);
  return workers;
}

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
