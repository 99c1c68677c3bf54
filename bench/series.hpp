// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

/// Curves over the time of a map, for plots. Calls have began_s, ended_s and received_s.
namespace bench {

using series = std::vector<std::pair<double, double>>;  ///< seconds, value

/// How many calls ran: a value holds until the next one.
template <class Call>
series running_calls(const std::vector<Call>& calls) {
  series changes;
  for (const Call& call : calls) {
    changes.emplace_back(call.began_s, 1);
    changes.emplace_back(call.ended_s, -1);
  }
  std::sort(changes.begin(), changes.end());  // an end before a beginning at the same time
  double running = 0;
  for (auto& [time, value] : changes) value = running += value;
  changes.insert(changes.begin(), {0, 0});
  return changes;
}

/// The rate of all calls together, `work` of each, as a mean over each of `count` equal spans: a call's work is spread evenly over
/// its time.
template <class Call>
series rate_over_time(const std::vector<Call>& calls, double wall_s, double work, std::size_t count) {
  const double width = wall_s / static_cast<double>(count);
  series spans(count);
  for (std::size_t i = 0; i < count; ++i) spans[i] = {(static_cast<double>(i) + 0.5) * width, 0};
  for (const Call& call : calls) {
    const double rate = work / (call.ended_s - call.began_s);
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
template <class Call>
series effective_rate(const std::vector<Call>& calls, double work) {
  series results;
  for (const Call& call : calls) results.emplace_back(call.received_s, 0);
  std::sort(results.begin(), results.end());
  double done = 0;
  for (auto& [time, value] : results) {
    done += work;
    value = done / time;
  }
  return results;
}

}  // namespace bench
