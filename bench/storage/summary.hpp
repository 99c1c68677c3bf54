// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../histogram.hpp"
#include "../measured_map.hpp"
#include "../place.hpp"
#include "calls.hpp"
#include "job.hpp"

#include <corolith/corolith.hpp>

#include <cstdint>
#include <ranges>
#include <set>
#include <string>
#include <vector>

/// One map of writes or of reads, and what its calls say together.
namespace bench::storage {

struct timed_call : call_times_s {
  double store_s = 0, cpu_s = 0;
  double mb_s = 0;  ///< inside the store
  std::string sum;
};

struct summary : calls_of_map<timed_call> {
  phase what = phase::write;
  double wall_s = 0;
  double mb = 0;    ///< that were moved, in units of 10^6 bytes
  double mb_s = 0;  ///< all of it over the whole time
  double cpu_s_per_gb = 0;
  std::uint32_t failed = 0;
  std::vector<bin> rates;
};

inline std::vector<double> call_rates(const summary& map) {
  std::vector<double> rates;
  for (const timed_call& call : map.calls) rates.push_back(call.mb_s);
  return rates;
}

/// Runs the map. `workers` are all there are, also those that get no call.
inline summary run_map(corolith::executor& ex, phase which, std::uint32_t number, const job& what,
                       const std::set<place>& workers) {
  const auto map = corolith::sync_wait(collect<call_times>("storage", [&] {
    const auto indices = std::views::iota(std::uint32_t{0}, number);
    return which == phase::write ? ex.map<write_object>(indices, what) : ex.map<read_object>(indices, what);
  }));
  summary all;
  all.what = which;
  all.failed = map.failed;
  all.wall_s = map.wall_s;
  place_calls(map, workers, all, [&](const call_times& times, timed_call& call) {
    call.store_s = times.store_s;
    call.cpu_s = times.cpu_s;
    call.mb_s = what.moved(which) / 1e6 / times.store_s;
    call.sum = times.sum;
  });
  all.mb = what.moved(which) * static_cast<double>(all.calls.size()) / 1e6;
  all.mb_s = all.mb / map.wall_s;
  for (const timed_call& call : all.calls) all.cpu_s_per_gb += call.cpu_s / (all.mb / 1e3);
  all.rates = histogram(call_rates(all));
  return all;
}

}  // namespace bench::storage
