// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace corolith::inline v0::s3::detail {

inline constexpr std::uint64_t most_parts = 10'000;
inline constexpr std::uint64_t smallest_part = std::uint64_t{5} << 20;
inline constexpr std::uint64_t largest_part = std::uint64_t{5} << 30;

/// The size of the parts of an object of known size: the wanted one, or what keeps them to 10,000.
inline std::uint64_t part_size_for(std::uint64_t object_size, std::uint64_t wanted) noexcept {
  const std::uint64_t least = (object_size + most_parts - 1) / most_parts;
  if (wanted >= least) return wanted;
  constexpr std::uint64_t mib = std::uint64_t{1} << 20;
  return (least + mib - 1) / mib * mib;
}

/// The size of part `number` (from 1) of an object whose size nobody knows: all alike at first, then twice as large with each 500 parts, up to
/// `most`.
inline std::uint64_t growing_part_size(std::uint64_t number, std::uint64_t wanted, std::uint64_t most) noexcept {
  constexpr std::uint64_t alike = 5'000;
  constexpr std::uint64_t doubled_every = 500;
  if (number <= alike) return wanted;
  const std::uint64_t doublings = (number - alike + doubled_every - 1) / doubled_every;
  std::uint64_t size = wanted;
  for (std::uint64_t i = 0; i < doublings && size < most; ++i) size *= 2;
  return std::max(wanted, std::min(size, most));
}

}  // namespace corolith::inline v0::s3::detail
