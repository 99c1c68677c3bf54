// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Blocks of Philox, two samples each, by which the kernel goes forward: a multiple of what each set has under way at once.
inline constexpr std::uint64_t monte_carlo_step = 120;

/// Counts the samples of `steps` * monte_carlo_step blocks that lie in the quarter circle, from block `first` on. The blocks must
/// have the upper halves of their numbers in common.
struct monte_carlo_kernel {
  template <class Set>
  std::uint64_t operator()(Set, std::uint64_t seed, std::uint64_t first, std::uint64_t steps) const;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
