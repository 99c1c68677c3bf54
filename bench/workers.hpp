// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "place.hpp"

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace detail {

inline std::size_t agents_of(const std::set<place>& workers) {
  std::set<std::string> names;
  for (const place& worker : workers) names.insert(worker.agent);
  return names.size();
}

}  // namespace detail

/// Every worker there is, started and prepared. A driver does not know how many slots its agents have; more calls than slots, each of
/// which keeps its slot for a while, meet them all. `Prepare(number, what)` says where it ran.
template <auto Prepare, class What>
std::set<place> start_workers(corolith::executor& ex, const corolith::options& options, const What& what) {
  constexpr std::chrono::seconds patience(30);  // for agents that are slower than the first
  const std::uint32_t agents = std::max(1U, options.agents);
  std::uint32_t calls = 2 * agents * std::max(1U, options.slots);
  std::set<place> workers;
  const auto begin = std::chrono::steady_clock::now();
  for (bool complete = false; !complete;) {
    const std::vector<place> places =
        ex.with({.chunk = 1}).template map<Prepare>(std::views::iota(std::uint32_t{0}, calls), what).get();
    std::set<place> met(places.begin(), places.end());
    const bool all_agents = detail::agents_of(met) >= agents;
    complete =
        met == workers && met.size() < calls && (all_agents || std::chrono::steady_clock::now() - begin > patience);
    if (met.size() >= calls) calls *= 2;
    workers = std::move(met);
  }
  if (detail::agents_of(workers) < agents)
    fmt::print(stderr, "only {} of {} agents are there\n", detail::agents_of(workers), agents);
  return workers;
}

}  // namespace bench
