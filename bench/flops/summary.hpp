// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../histogram.hpp"
#include "../measured_map.hpp"
#include "calls.hpp"
#include "measured_map.hpp"

#include <set>
#include <vector>

/// What the calls of one map say together.
namespace bench::flops {

struct timed_call : call_times_s {
  double kernel_s = 0, user_s = 0, system_s = 0, waited_s = 0;
  double gflops = 0;  ///< of its products
};

struct summary : calls_of_map<timed_call> {
  double wall_s = 0;
  double total_gflops = 0;     ///< all work that was done over the whole time
  double cpu_utilisation = 0;  ///< user time of the calls over slots x wall
  double cpu_waiting = 0;      ///< of the same, what other programs took while a call was ready to run
  double kernel_share = 0;     ///< the same with the time of the products alone
  std::vector<bin> rates;
};

inline std::vector<double> call_rates(const summary& map) {
  std::vector<double> rates;
  for (const timed_call& call : map.calls) rates.push_back(call.gflops);
  return rates;
}

/// `workers` are all there are, also those that got no call.
inline summary summarise(const measured_map& map, const job& what, const std::set<place>& workers) {
  summary all;
  place_calls(map, workers, all, [&](const work_times& times, timed_call& call) {
    call.kernel_s = times.kernel_s;
    call.user_s = times.user_s;
    call.system_s = times.system_s;
    call.waited_s = times.waited_s;
    call.gflops = what.flop() / times.kernel_s / 1e9;
  });
  const double slots_s = static_cast<double>(workers.size() * what.threads) * map.wall_s;
  for (const timed_call& call : all.calls) {
    all.cpu_utilisation += call.user_s / slots_s;
    all.cpu_waiting += call.waited_s * what.threads / slots_s;
    all.kernel_share += call.kernel_s * what.threads / slots_s;
  }
  all.wall_s = map.wall_s;
  all.total_gflops = what.flop() * static_cast<double>(all.calls.size()) / map.wall_s / 1e9;
  all.rates = histogram(call_rates(all));
  return all;
}

}  // namespace bench::flops
