// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <array>
#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

// Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
// Its numbers are a function of a key and a counter, so they are the same in whatever order and on whatever lane they are made.

inline constexpr int philox_rounds = 10;
inline constexpr std::uint32_t philox_multiplier_0 = 0xD2511F53, philox_multiplier_1 = 0xCD9E8D57;
inline constexpr std::uint32_t philox_step_0 = 0x9E3779B9,
                               philox_step_1 = 0xBB67AE85;  // of the key from round to round

using philox_block = std::array<std::uint32_t, 4>;
using philox_key = std::array<std::uint32_t, 2>;

constexpr philox_block philox(philox_block c, philox_key key) noexcept {
  for (int round = 0; round < philox_rounds; ++round) {
    const std::uint64_t a = std::uint64_t{philox_multiplier_0} * c[0];
    const std::uint64_t b = std::uint64_t{philox_multiplier_1} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + philox_step_0, key[1] + philox_step_1};
  }
  return c;
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
