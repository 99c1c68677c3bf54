// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>
#include <corolith/simd/detail/dispatch.hpp>
#include <corolith/simd/detail/monte_carlo_kernel.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {

/// How many of the samples number first_sample to first_sample + samples - 1 lie in the quarter circle: 4 * count / samples
/// estimates pi, with a standard deviation of 1.64 / sqrt(samples). A sample is a point (x, y) of the unit square whose
/// coordinates are 32-bit fractions, and lies inside when x^2 + y^2 < 1, which is decided exactly.
///
/// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011) with
/// `seed` as its key. Block b of it, with the counter (low half of b, high half of b, 0, 0), is samples 2b and 2b + 1. So a
/// sample depends on the seed and its number alone: the count is the same with every instruction set, and the counts of parts
/// add up to that of the whole, however it is split over calls, threads and machines. Sample numbers go up to 2^64 - 1 and do
/// not wrap around: first_sample + samples must not exceed 2^64 - 1. Thread-safe.
COROLITH_DECL std::uint64_t count_in_quarter_circle(std::uint64_t seed, std::uint64_t first_sample,
                                                    std::uint64_t samples);

}  // namespace simd
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SIMD_DISPATCH)
#include <corolith/simd/impl/monte_carlo_kernel.hpp>
#endif
#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/simd/impl/monte_carlo.ipp>
#endif
