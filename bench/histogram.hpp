// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bench {

struct bin {
  double from = 0;
  double to = 0;
  std::size_t count = 0;
};

/// 1, 2 or 5 times a power of ten, at least `width`.
inline double round_width(double width) {
  const double power = std::pow(10.0, std::floor(std::log10(width)));
  for (const double digit : {1.0, 2.0, 5.0})
    if (digit * power >= width) return digit * power;
  return 10 * power;
}

/// Bins of a round width, 15 to 30 of them, from the least to the greatest value.
inline std::vector<bin> histogram(const std::vector<double>& values) {
  std::vector<bin> bins;
  if (values.empty()) return bins;
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const double width = round_width(std::max((*greatest - *least) / 30, *greatest * 1e-3));
  const double first = std::floor(*least / width);
  bins.resize(static_cast<std::size_t>(std::floor(*greatest / width) - first) + 1);
  for (std::size_t i = 0; i < bins.size(); ++i) {
    bins[i].from = (first + static_cast<double>(i)) * width;
    bins[i].to = (first + static_cast<double>(i) + 1) * width;
  }
  for (const double value : values) ++bins[static_cast<std::size_t>(std::floor(value / width) - first)].count;
  return bins;
}

}  // namespace bench
