// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <optional>
#include <string>

/// One result of a benchmark as a JSON line on standard output; progress goes to standard error.
namespace bench {

struct comparison {
  double ratio;
  std::string to;
};

/// `limited_by` says what kept the figure from being better, where that is known.
inline void report(const std::string& bench, const std::string& metric, double value, const std::string& unit,
                   const std::optional<comparison>& compared = std::nullopt, const std::string& limited_by = {}) {
  std::printf("{\"bench\":\"%s\",\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", bench.c_str(), metric.c_str(),
              value, unit.c_str());
  if (compared) std::printf(",\"ratio\":%.4g,\"ratio_to\":\"%s\"", compared->ratio, compared->to.c_str());
  if (!limited_by.empty()) std::printf(",\"limited_by\":\"%s\"", limited_by.c_str());
  std::printf("}\n");
  std::fflush(stdout);
}

}  // namespace bench
