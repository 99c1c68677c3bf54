// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calls.hpp"
#include "histogram.hpp"
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

struct node {
  std::string name;
  std::size_t workers = 0;
  std::size_t calls = 0;
  double clock_offset_s = 0;  ///< was added to its times
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

/// "1 worker", "2 workers".
inline std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

inline std::vector<double> call_rates(const summary& map) {
  std::vector<double> rates;
  for (const timed_call& call : map.calls) rates.push_back(call.gflops);
  return rates;
}

namespace detail {

inline double since(std::chrono::system_clock::time_point begin, std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time - begin).count();
}

inline double since(std::chrono::system_clock::time_point begin, std::int64_t system_ns) {
  return since(begin, std::chrono::system_clock::time_point(std::chrono::nanoseconds(system_ns)));
}

/// The least shift of a node's clock with which none of its calls began before it was sent or ended after it was received.
inline double clock_offset(const std::vector<timed_call>& calls, const std::vector<std::size_t>& node_of_worker,
                           std::size_t node) {
  double low = -1e18, high = 1e18;
  for (const timed_call& call : calls) {
    if (node_of_worker[call.worker] != node) continue;
    low = std::max(low, call.sent_s - call.began_s);
    high = std::min(high, call.received_s - call.ended_s);
  }
  return low > high ? (low + high) / 2 : std::clamp(0.0, low, high);
}

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

inline void align_clocks(summary& all, const std::vector<std::size_t>& node_of_worker) {
  for (std::size_t i = 0; i < all.nodes.size(); ++i)
    all.nodes[i].clock_offset_s = clock_offset(all.calls, node_of_worker, i);
  for (timed_call& call : all.calls) {
    node& where = all.nodes[node_of_worker[call.worker]];
    ++where.calls;
    call.began_s += where.clock_offset_s;
    call.ended_s += where.clock_offset_s;
  }
}

}  // namespace detail

/// `workers` are all there are, also those that got no call.
inline summary summarise(const measured_map& map, const job& what, const std::set<place>& workers) {
  summary all;
  std::set<place> places = workers;
  for (const finished_call& call : map.calls) places.insert({call.stats.host, call.stats.pid});
  std::vector<std::size_t> node_of_worker;
  for (const place& each : places) {  // ordered by node
    if (all.nodes.empty() || all.nodes.back().name != each.agent) all.nodes.push_back({each.agent, 0, 0, 0});
    ++all.nodes.back().workers;
    node_of_worker.push_back(all.nodes.size() - 1);
  }
  all.workers.assign(places.begin(), places.end());
  for (const finished_call& call : map.calls) {
    const auto worker =
        std::lower_bound(all.workers.begin(), all.workers.end(), place{call.stats.host, call.stats.pid});
    all.calls.push_back(detail::timed(call, map, what, static_cast<std::size_t>(worker - all.workers.begin())));
  }
  std::sort(all.calls.begin(), all.calls.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  detail::align_clocks(all, node_of_worker);

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
