// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../histogram.hpp"
#include "../nodes.hpp"
#include "../place.hpp"
#include "calls.hpp"
#include "job.hpp"

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

/// One map of writes or of reads, and what its calls say together.
namespace bench::storage {

/// A call with times in seconds since the map was called, on the driver's clock.
struct timed_call {
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
  std::size_t worker = 0;  ///< its position in summary::workers
  double sent_s = 0, began_s = 0, ended_s = 0, received_s = 0;
  double store_s = 0, cpu_s = 0;
  double mb_s = 0;  ///< inside the store
  std::string sum;
};

struct summary {
  phase what = phase::write;
  double wall_s = 0;
  double mb = 0;    ///< that were moved, in units of 10^6 bytes
  double mb_s = 0;  ///< all of it over the whole time
  double cpu_s_per_gb = 0;
  std::uint32_t failed = 0;
  std::vector<timed_call> calls;  ///< by index
  std::vector<place> workers;
  std::vector<node> nodes;  ///< by name
  std::vector<bin> rates;
};

inline std::vector<double> call_rates(const summary& map) {
  std::vector<double> rates;
  for (const timed_call& call : map.calls) rates.push_back(call.mb_s);
  return rates;
}

namespace detail {

struct finished_call {
  std::uint32_t index = 0;
  call_times times;
  corolith::call_stats stats;
};

/// From the moment that it was called to the last result.
struct measured_map {
  std::chrono::system_clock::time_point began;
  double wall_s = 0;
  std::vector<finished_call> calls;  ///< as they came
  std::uint32_t failed = 0;
};

inline corolith::task<measured_map> collect(corolith::executor ex, phase which, std::uint32_t number, job what) {
  measured_map all;
  const auto begin = std::chrono::steady_clock::now();
  all.began = std::chrono::system_clock::now();
  const auto indices = std::views::iota(std::uint32_t{0}, number);
  corolith::batch<call_times> batch =
      which == phase::write ? ex.map<write_object>(indices, what) : ex.map<read_object>(indices, what);
  for (bool more = true; more;) {
    try {
      auto done = co_await batch.next();
      more = done.has_value();
      if (more) all.calls.push_back({done->index, std::move(done->value), done->stats});
    } catch (const corolith::error& problem) {
      if (++all.failed == 1) fmt::print(stderr, "storage: a call failed: {}\n", problem.what());
    }
  }
  all.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  co_return all;
}

inline timed_call timed(const finished_call& call, const measured_map& map, double bytes, std::size_t worker) {
  timed_call made;
  made.index = call.index;
  made.attempt = call.stats.attempt;
  made.worker = worker;
  made.sent_s = since(map.began, call.stats.sent);
  made.began_s = since(map.began, call.times.began_ns);
  made.ended_s = since(map.began, call.times.ended_ns);
  made.received_s = since(map.began, call.stats.received);
  made.store_s = call.times.store_s;
  made.cpu_s = call.times.cpu_s;
  made.mb_s = bytes / 1e6 / call.times.store_s;
  made.sum = call.times.sum;
  return made;
}

}  // namespace detail

/// Runs the map. `workers` are all there are, also those that get no call.
inline summary run_map(corolith::executor& ex, phase which, std::uint32_t number, const job& what,
                       const std::set<place>& workers) {
  const detail::measured_map map = corolith::sync_wait(detail::collect(ex, which, number, what));
  summary all;
  all.what = which;
  all.failed = map.failed;
  all.wall_s = map.wall_s;
  std::set<place> places = workers;
  for (const detail::finished_call& call : map.calls) places.insert({call.stats.host, call.stats.pid});
  const std::vector<std::size_t> node_of_worker = nodes_of(places, all.nodes);
  all.workers.assign(places.begin(), places.end());
  for (const detail::finished_call& call : map.calls) {
    const auto worker =
        std::lower_bound(all.workers.begin(), all.workers.end(), place{call.stats.host, call.stats.pid});
    all.calls.push_back(
        detail::timed(call, map, what.moved(which), static_cast<std::size_t>(worker - all.workers.begin())));
  }
  std::sort(all.calls.begin(), all.calls.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  align_clocks(all.calls, all.nodes, node_of_worker);
  all.mb = what.moved(which) * static_cast<double>(all.calls.size()) / 1e6;
  all.mb_s = all.mb / map.wall_s;
  for (const timed_call& call : all.calls) all.cpu_s_per_gb += call.cpu_s / (all.mb / 1e3);
  all.rates = histogram(call_rates(all));
  return all;
}

}  // namespace bench::storage
