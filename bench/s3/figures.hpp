// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../measure.hpp"
#include "../report.hpp"
#include "contender.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bench::s3 {

/// Whether more of it is better.
enum class better { more, less };

/// Figures by name, one of each a round, and what they are compared with.
class figures {
 public:
  explicit figures(double server_threads) : server_threads_(server_threads) {}

  /// `from` is what it is computed of: it tells which side was the limit.
  void add(const std::string& name, double value, const std::optional<cost>& from = {}) {
    fmt::print(stderr, "s3:   {} {:.4g}\n", name, value);
    values_.add(name, value);
    count_[name] += 1;
    if (!from) return;
    cost& sum = costs_[name];
    sum.seconds += from->seconds;
    sum.client_cpu_s += from->client_cpu_s;
    sum.server_cpu_s += from->server_cpu_s;
  }
  bool has(const std::string& name) const { return count_.contains(name); }

  void tell(const std::string& name, const char* unit, const std::optional<std::string>& to = {}) const {
    if (!has(name)) return;
    std::optional<comparison> compared;
    if (to && has(*to)) compared = comparison{values_.ratio(name, *to), *to};
    std::string limit;
    if (const auto found = costs_.find(name); found != costs_.end())
      limit = limit_of(found->second, 1, server_threads_, std::thread::hardware_concurrency());
    report("s3", name, values_.median(name), unit, compared, limit);
  }
  /// The best of these that were measured.
  std::optional<std::string> best_of(const std::vector<std::string>& names, better which) const {
    std::optional<std::string> best;
    for (const std::string& name : names) {
      if (!has(name)) continue;
      const double sign = which == better::more ? 1 : -1;
      if (!best || sign * values_.median(name) > sign * values_.median(*best)) best = name;
    }
    return best;
  }

 private:
  double server_threads_;
  rounds values_;
  std::map<std::string, int> count_;
  std::map<std::string, cost> costs_;
};

inline void tell_progress(const std::string& text) { fmt::print(stderr, "s3: {}\n", text); }

}  // namespace bench::s3
