// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../measure.hpp"
#include "summary.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

namespace bench::storage {

/// The writes or the reads of one round, and the bare loop's right after them.
struct measured_phase {
  summary map;
  std::optional<double> bare_s;

  double mb_s() const { return map.mb_s; }
  double cpu_s_per_gb() const { return map.cpu_s_per_gb; }
  std::optional<double> bare_mb_s() const { return bare_s ? std::optional(map.mb / *bare_s) : std::nullopt; }
  std::optional<double> to_bare() const { return bare_s ? std::optional(map.mb_s / *bare_mb_s()) : std::nullopt; }
  double call_mb_s() const { return median(call_rates(map)); }
};

/// One of the two, over all rounds.
struct phase_outcome {
  std::vector<measured_phase> rounds;

  /// That with the median of rates, which the plots show.
  const measured_phase& typical() const {
    std::vector<const measured_phase*> sorted;
    for (const measured_phase& each : rounds) sorted.push_back(&each);
    std::sort(sorted.begin(), sorted.end(),
              [](const measured_phase* a, const measured_phase* b) { return a->map.mb_s < b->map.mb_s; });
    return *sorted[sorted.size() / 2];
  }

  /// The median of what `get(round)` says; nothing when it says nothing.
  template <class Get>
  std::optional<double> median_of(Get get) const {
    std::vector<double> values;
    for (const measured_phase& each : rounds)
      if (const std::optional<double> value = std::invoke(get, each)) values.push_back(*value);
    if (values.empty()) return std::nullopt;
    return median(values);
  }
};

struct outcome {
  double startup_s = 0;  ///< from the executor to the last worker that is prepared
  phase_outcome write;
  phase_outcome read;

  std::vector<const measured_phase*> typical() const {
    std::vector<const measured_phase*> all;
    for (const phase_outcome* each : {&write, &read})
      if (!each->rounds.empty()) all.push_back(&each->typical());
    return all;
  }
};

}  // namespace bench::storage
