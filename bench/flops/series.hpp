// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "summary.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

/// Curves over the time of a map, for plots.
namespace bench::flops {

using series = std::vector<std::pair<double, double>>;  ///< seconds, value

/// How many calls ran: a value holds until the next one.
inline series running_calls(const std::vector<timed_call>& calls) {
  series changes;
  for (const timed_call& call : calls) {
    changes.emplace_back(call.began_s, 1);
    changes.emplace_back(call.ended_s, -1);
  }
  std::sort(changes.begin(), changes.end());  // an end before a beginning at the same time
  double running = 0;
  for (auto& [time, value] : changes) value = running += value;
  changes.insert(changes.begin(), {0, 0});
  return changes;
}

/// The rate of all calls together, as a mean over each of `count` equal spans: a call's work is spread evenly over its time.
inline series rate_over_time(const summary& map, double flop_per_call, std::size_t count) {
  const double width = map.wall_s / static_cast<double>(count);
  series spans(count);
  for (std::size_t i = 0; i < count; ++i) spans[i] = {(static_cast<double>(i) + 0.5) * width, 0};
  for (const timed_call& call : map.calls) {
    const double rate = flop_per_call / 1e9 / (call.ended_s - call.began_s);
    const auto first = static_cast<std::size_t>(std::max(0.0, call.began_s / width));
    for (std::size_t i = first; i < count && static_cast<double>(i) * width < call.ended_s; ++i) {
      const double from = static_cast<double>(i) * width;
      const double share = (std::min(call.ended_s, from + width) - std::max(call.began_s, from)) / width;
      spans[i].second += rate * share;
    }
  }
  return spans;
}

/// The work of all results so far over the time so far; where it ends is the rate of the whole map.
inline series effective_rate(const std::vector<timed_call>& calls, double flop_per_call) {
  series results;
  for (const timed_call& call : calls) results.emplace_back(call.received_s, 0);
  std::sort(results.begin(), results.end());
  double gigaflop = 0;
  for (auto& [time, value] : results) {
    gigaflop += flop_per_call / 1e9;
    value = gigaflop / time;
  }
  return results;
}

}  // namespace bench::flops
