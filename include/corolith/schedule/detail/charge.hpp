// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/types.hpp>

#include <algorithm>
#include <cstdint>

namespace corolith::inline v0::schedule::detail {

/// Resources in fixed point: a call of a batch with depth d takes 1/d of what it needs from the window of an agent, so
/// that d calls queue at each slot. With depth 1 this is the plain resource.
struct charge {
  std::int64_t cpus = 0;
  std::int64_t gpus = 0;
  std::int64_t memory = 0;

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
  charge operator-(const charge& o) const noexcept { return {cpus - o.cpus, gpus - o.gpus, memory - o.memory}; }
  charge at_least_none() const noexcept {
    const std::int64_t none = 0;
    return {std::max(cpus, none), std::max(gpus, none), std::max(memory, none)};
  }
  friend bool operator==(const charge&, const charge&) noexcept = default;
};

// What a cpu or gpu counts, and a KiB. Dividing by a depth that is no power of two loses a little; with these sizes the
// losses of 65,536 slots of depth 1,024 do not add up to room for one call more. For memory that would not fit, and
// does not matter.
inline constexpr std::int64_t whole = std::int64_t{1} << 36;
inline constexpr std::int64_t whole_kib = std::int64_t{1} << 20;
inline constexpr std::uint32_t most_units = 1u << 24;
inline constexpr std::uint32_t deepest = 1024;

inline std::int64_t units_of(std::uint32_t count) noexcept { return std::min(count, most_units) * whole; }
inline std::int64_t kib_of(std::uint64_t bytes) noexcept {
  const std::uint64_t kib = bytes / 1024 + (bytes % 1024 != 0 ? 1 : 0);
  return static_cast<std::int64_t>(std::min(kib, std::uint64_t{1} << 40)) * whole_kib;
}

inline charge charge_of(const resources& need, std::uint32_t depth) noexcept {
  return {units_of(need.cpus) / depth, units_of(need.gpus) / depth, kib_of(need.memory) / depth};
}

inline charge capacity_of(const resources& total) noexcept {
  const std::int64_t unlimited = std::int64_t{1} << 61;
  return {units_of(total.cpus), units_of(total.gpus), total.memory == 0 ? unlimited : kib_of(total.memory)};
}

/// Whether an empty agent could run such a call.
inline bool could_ever_fit(const resources& need, const resources& total) noexcept {
  return charge_of(need, 1).fits_in(capacity_of(total));
}

}  // namespace corolith::inline v0::schedule::detail
