// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/philox.hpp>

#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Words of 32 bits in lanes of 64, whose upper halves may hold anything: so a product of 64 bits is two words where it is.
template <class Set>
using words = batch<std::uint64_t, Set>;

#if XSIMD_WITH_AVX512BW
// With a mask of all lanes: g++ 12 warns that what it puts in the place of none is not initialised.
inline constexpr __mmask8 all_words = 0xFF;
#endif

/// The products of the lower halves.
template <class Set>
[[gnu::always_inline]] inline words<Set> multiply_words(const words<Set>& a, const words<Set>& b) {
#if XSIMD_WITH_AVX512BW
  if constexpr (sizeof(words<Set>) == 64) return _mm512_maskz_mul_epu32(all_words, a, b);
#endif
#if XSIMD_WITH_AVX2
  if constexpr (sizeof(words<Set>) == 32) return _mm256_mul_epu32(a, b);
#endif
#if XSIMD_WITH_SSE2
  if constexpr (sizeof(words<Set>) == 16) return _mm_mul_epu32(a, b);
#elif XSIMD_WITH_NEON64
  return vmull_u32(vmovn_u64(a), vmovn_u64(b));
#endif
}

/// Each lane without its `Bits` lowest bits.
template <int Bits, class Set>
[[gnu::always_inline]] inline words<Set> shift_words(const words<Set>& a) {
#if XSIMD_WITH_AVX512BW
  if constexpr (sizeof(words<Set>) == 64) return _mm512_maskz_srli_epi64(all_words, a, Bits);
#endif
  return a >> Bits;
}

/// What is the same in all blocks whose numbers have the upper half `high`: the keys of each round, and what the first two
/// rounds make of zeros and the upper half.
template <class Set>
struct philox_constants {
  words<Set> key0[philox_rounds], key1[philox_rounds];
  words<Set> second_c2, second_c3;

  [[gnu::always_inline]] philox_constants(std::uint64_t seed, std::uint32_t high) {
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    const std::uint64_t product = std::uint64_t{philox_multiplier_0} * (high ^ k0);
    second_c3 = words<Set>(product);
    second_c2 = words<Set>(product >> 32 ^ std::uint64_t{k1 + philox_step_1});
    for (int round = 0; round < philox_rounds; ++round, k0 += philox_step_0, k1 += philox_step_1) {
      key0[round] = words<Set>(std::uint64_t{k0});
      key1[round] = words<Set>(std::uint64_t{k1});
    }
  }
};

/// As many blocks as a register has lanes.
template <class Set>
struct philox_words {
  words<Set> c0, c1, c2, c3;

  /// The first two rounds of the blocks with these numbers: one multiplication each, for the others have factors that are zero
  /// or the same in all lanes.
  [[gnu::always_inline]] philox_words(const words<Set>& number, const philox_constants<Set>& constants) {
    const words<Set> a = multiply_words<Set>(number, words<Set>(std::uint64_t{philox_multiplier_0}));
    const words<Set> b = multiply_words<Set>(shift_words<32, Set>(a) ^ constants.key1[0],
                                             words<Set>(std::uint64_t{philox_multiplier_1}));
    c0 = shift_words<32, Set>(b) ^ constants.key0[1];
    c1 = b;
    c2 = a ^ constants.second_c2;
    c3 = constants.second_c3;
  }

  /// Any other round.
  [[gnu::always_inline]] void round(const words<Set>& key0, const words<Set>& key1) {
    const words<Set> a = multiply_words<Set>(c0, words<Set>(std::uint64_t{philox_multiplier_0}));
    const words<Set> b = multiply_words<Set>(c2, words<Set>(std::uint64_t{philox_multiplier_1}));
    c0 = shift_words<32, Set>(b) ^ (c1 ^ key0);  // only the product is waited for
    c1 = b;
    c2 = shift_words<32, Set>(a) ^ (c3 ^ key1);
    c3 = a;
  }
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
