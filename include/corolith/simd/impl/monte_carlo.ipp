// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/detail/philox.hpp>
#include <corolith/simd/monte_carlo.hpp>

#include <algorithm>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// One sample after another: what is left at the ends of what the kernel does.
inline std::uint64_t count_one_by_one(std::uint64_t seed, std::uint64_t sample, std::uint64_t end) {
  const philox_key key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  std::uint64_t count = 0;
  for (; sample != end; ++sample) {
    const std::uint64_t block = sample / 2;
    const philox_block words =
        philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0}, key);
    const std::uint64_t x = words[sample % 2 * 2], y = words[sample % 2 * 2 + 1];
    count += x * x <= ~(y * y);  // that is x^2 + y^2 < 2^64
  }
  return count;
}

}  // namespace detail

COROLITH_DECL std::uint64_t count_in_quarter_circle(std::uint64_t seed, std::uint64_t first_sample,
                                                    std::uint64_t samples) {
  constexpr std::uint64_t step = 2 * detail::monte_carlo_step;
  constexpr std::uint64_t epoch = std::uint64_t{1} << 33;  // samples whose blocks share the upper half of their numbers
  const std::uint64_t end = first_sample + samples;
  std::uint64_t count = 0;
  for (std::uint64_t sample = first_sample, part_end; sample != end; sample = part_end) {
    const std::uint64_t left_in_epoch = epoch - sample % epoch;
    part_end = sample + std::min(end - sample, left_in_epoch);
    const std::uint64_t even = sample + sample % 2;
    count += detail::count_one_by_one(seed, sample, even);
    const std::uint64_t steps = (part_end - even) / step;
    if (steps != 0) count += detail::dispatch(detail::monte_carlo_kernel{}, seed, even / 2, steps);
    count += detail::count_one_by_one(seed, even + steps * step, part_end);
  }
  return count;
}

}  // namespace simd
}  // namespace v0
}  // namespace corolith
