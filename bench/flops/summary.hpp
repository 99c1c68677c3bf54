// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../histogram.hpp"
#include "../nodes.hpp"
#include "calls.hpp"
#include "measured_map.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// What the calls of one map say together.
namespace bench::flops {

/// A call with times in seconds since the map was called, on the driver's clock.
struct timed_call {
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
  std::size_t worker = 0;  ///< its position in summary::workers
  double sent_s = 0, began_s = 0, ended_s = 0, received_s = 0;
  double kernel_s = 0, user_s = 0, system_s = 0;
  double gflops = 0;  ///< of its products
};

struct summary {
  double wall_s = 0;
  double total_gflops = 0;        ///< all work that was done over the whole time
  double cpu_utilisation = 0;     ///< user time of the calls over slots x wall
  double kernel_share = 0;        ///< the same with the time of the products alone
  std::vector<timed_call> calls;  ///< by index
  std::vector<place> workers;
  std::vector<node> nodes;  ///< by name
  std::vector<bin> rates;
};

inline std::vector<double> call_rates(const summary& map) {
  std::vector<double> rates;
  for (const timed_call& call : map.calls) rates.push_back(call.gflops);
  return rates;
}

namespace detail {

inline timed_call timed(const finished_call& call, const measured_map& map, const job& what, std::size_t worker) {
  timed_call made;
  made.index = call.index;
  made.attempt = call.stats.attempt;
  made.worker = worker;
  made.sent_s = since(map.began, call.stats.sent);
  made.began_s = since(map.began, call.times.began_ns);
  made.ended_s = since(map.began, call.times.ended_ns);
  made.received_s = since(map.began, call.stats.received);
  made.kernel_s = call.times.kernel_s;
  made.user_s = call.times.user_s;
  made.system_s = call.times.system_s;
  made.gflops = what.flop() / call.times.kernel_s / 1e9;
  return made;
}

}  // namespace detail

/// `workers` are all there are, also those that got no call.
inline summary summarise(const measured_map& map, const job& what, const std::set<place>& workers) {
  summary all;
  std::set<place> places = workers;
  for (const finished_call& call : map.calls) places.insert({call.stats.host, call.stats.pid});
  const std::vector<std::size_t> node_of_worker = nodes_of(places, all.nodes);
  all.workers.assign(places.begin(), places.end());
  for (const finished_call& call : map.calls) {
    const auto worker =
        std::lower_bound(all.workers.begin(), all.workers.end(), place{call.stats.host, call.stats.pid});
    all.calls.push_back(detail::timed(call, map, what, static_cast<std::size_t>(worker - all.workers.begin())));
  }
  std::sort(all.calls.begin(), all.calls.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  align_clocks(all.calls, all.nodes, node_of_worker);

  const double slots_s = static_cast<double>(workers.size() * what.threads) * map.wall_s;
  for (const timed_call& call : all.calls) {
    all.cpu_utilisation += call.user_s / slots_s;
    all.kernel_share += call.kernel_s * what.threads / slots_s;
  }
  all.wall_s = map.wall_s;
  all.total_gflops = what.flop() * static_cast<double>(all.calls.size()) / map.wall_s / 1e9;
  all.rates = histogram(call_rates(all));
  return all;
}

}  // namespace bench::flops
