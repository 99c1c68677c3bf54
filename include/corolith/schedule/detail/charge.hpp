// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/types.hpp>

#include <algorithm>
#include <cstdint>

namespace corolith::inline v0::schedule::detail {

/// Resources in fixed point: a call of a batch with depth d takes 1/d of what it needs from the window of an agent, so that d
/// calls queue at each slot. With depth 1 this is the plain resource.
struct charge {
  std::int64_t cpus = 0;
  std::int64_t gpus = 0;
  std::int64_t memory = 0;  // of KiB

  bool fits_in(const charge& free) const noexcept {
    return cpus <= free.cpus && gpus <= free.gpus && memory <= free.memory;
  }
  charge& operator+=(const charge& o) noexcept {
    cpus += o.cpus;
    gpus += o.gpus;
    memory += o.memory;
    return *this;
  }
  charge& operator-=(const charge& o) noexcept {
    cpus -= o.cpus;
    gpus -= o.gpus;
    memory -= o.memory;
    return *this;
  }
};

inline constexpr std::int64_t one = std::int64_t{1} << 20;  // what 1 cpu, gpu or KiB counts; d * (one / d) loses less than one / d
inline constexpr std::uint32_t deepest = 1024;              // so that the loss never makes room for one call more

inline std::int64_t kib_of(std::uint64_t bytes) noexcept {
  return static_cast<std::int64_t>(std::min<std::uint64_t>((bytes / 1024) + (bytes % 1024 != 0), std::uint64_t{1} << 40));
}

inline charge charge_of(const resources& need, std::uint32_t depth) noexcept {
  return {need.cpus * one / depth, need.gpus * one / depth, kib_of(need.memory) * one / depth};
}

inline charge capacity_of(const resources& total) noexcept {
  const std::int64_t unlimited = std::int64_t{1} << 61;
  return {total.cpus * one, total.gpus * one, total.memory == 0 ? unlimited : kib_of(total.memory) * one};
}

/// Whether an empty agent could run such a call.
inline bool could_ever_fit(const resources& need, const resources& total) noexcept {
  return charge_of(need, 1).fits_in(capacity_of(total));
}

}  // namespace corolith::inline v0::schedule::detail
