// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nodes.hpp"
#include "place.hpp"

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <utility>
#include <vector>

namespace bench {

/// A call that came back. `Times` is what it says of itself, began_ns and ended_ns (system_clock) among it.
template <class Times>
struct finished_call {
  std::uint32_t index = 0;
  Times times;
  corolith::call_stats stats;
};

/// One map, from the moment that it was called to the last result.
template <class Times>
struct measured_map {
  std::chrono::system_clock::time_point began;
  double wall_s = 0;
  std::vector<finished_call<Times>> calls;  ///< as they came
  std::uint32_t failed = 0;
};

/// Calls `open()` for a batch and takes its results. The first failure is told.
template <class Times, class Open>
corolith::task<measured_map<Times>> collect(const char* bench, Open open) {
  measured_map<Times> all;
  const auto begin = std::chrono::steady_clock::now();
  all.began = std::chrono::system_clock::now();
  corolith::batch<Times> batch = open();
  for (bool more = true; more;) {
    try {
      auto done = co_await batch.next();
      more = done.has_value();
      if (more) all.calls.push_back({done->index, std::move(done->value), done->stats});
    } catch (const corolith::error& problem) {
      if (++all.failed == 1) fmt::print(stderr, "{}: a call failed: {}\n", bench, problem.what());
    }
  }
  all.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  co_return all;
}

/// When things happened to a call, in seconds since the map was called, on the driver's clock.
struct call_times_s {
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
  std::size_t worker = 0;  ///< its position among the workers
  double sent_s = 0, began_s = 0, ended_s = 0, received_s = 0;
};

template <class Call>
struct calls_of_map {
  std::vector<Call> calls;  ///< by index
  std::vector<place> workers;
  std::vector<node> nodes;  ///< by name
};

/// Fills in `into.calls`, which derive from call_times_s and get the rest from `rest(times, call)`. `workers` are all there are, also those
/// that got no call.
template <class Times, class Call, class Rest>
void place_calls(const measured_map<Times>& map, const std::set<place>& workers, calls_of_map<Call>& into,
                 Rest&& rest) {
  std::set<place> places = workers;
  for (const auto& call : map.calls) places.insert({call.stats.host, call.stats.pid});
  const std::vector<std::size_t> node_of_worker = nodes_of(places, into.nodes);
  into.workers.assign(places.begin(), places.end());
  for (const auto& call : map.calls) {
    const auto worker =
        std::lower_bound(into.workers.begin(), into.workers.end(), place{call.stats.host, call.stats.pid});
    Call made;
    made.index = call.index;
    made.attempt = call.stats.attempt;
    made.worker = static_cast<std::size_t>(worker - into.workers.begin());
    made.sent_s = since(map.began, call.stats.sent);
    made.began_s = since(map.began, call.times.began_ns);
    made.ended_s = since(map.began, call.times.ended_ns);
    made.received_s = since(map.began, call.stats.received);
    rest(call.times, made);
    into.calls.push_back(std::move(made));
  }
  std::sort(into.calls.begin(), into.calls.end(), [](const Call& a, const Call& b) { return a.index < b.index; });
  align_clocks(into.calls, into.nodes, node_of_worker);
}

}  // namespace bench
