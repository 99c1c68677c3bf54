// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

/// What benchmarks of kernels share: rates, and medians over rounds in which everything that is compared has its turn.
namespace bench {

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Calls `work` again and again for `duration` and returns the best rate: what it returned over the seconds that it took. A call
/// should take well under a millisecond, so that one goes uninterrupted.
template <class Work>
double best_rate(std::chrono::nanoseconds duration, Work&& work) {
  using clock = std::chrono::steady_clock;
  const clock::time_point start = clock::now();
  double best = 0;
  clock::time_point end;
  do {
    const clock::time_point begin = clock::now();
    const double done = work();
    end = clock::now();
    best = std::max(best, done / std::chrono::duration<double>(end - begin).count());
  } while (end - start < duration);
  return best;
}

/// Values by name, one of each a round.
class rounds {
 public:
  void add(const std::string& name, double value) { values_[name].push_back(value); }
  bool has(const std::string& name) const { return values_.contains(name); }
  double median(const std::string& name) const { return bench::median(values_.at(name)); }
  /// The median of the quotients within one round: what slows down a round slows down both.
  double ratio(const std::string& name, const std::string& to) const {
    const std::vector<double>&a = values_.at(name), &b = values_.at(to);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(a[i] / b[i]);
    return bench::median(ratios);
  }

 private:
  std::map<std::string, std::vector<double>> values_;
};

}  // namespace bench
