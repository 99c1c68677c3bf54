// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// CRCs of 32 bits whose bits are reflected, as S3 has them: the highest bit of a word is the coefficient of x^0.

namespace corolith::inline v0::s3::detail {

inline constexpr std::uint32_t crc32c_polynomial = 0x82f63b78;
inline constexpr std::uint32_t crc32_polynomial = 0xedb88320;

/// a * b mod P.
template <std::uint32_t P>
constexpr std::uint32_t crc_multiply(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? P : 0);
  }
  return product;
}

/// x^n mod P.
template <std::uint32_t P>
constexpr std::uint32_t crc_power(std::uint64_t n) noexcept {
  std::uint32_t power = 0x80000000, square = 0x40000000;
  for (; n != 0; n >>= 1) {
    if ((n & 1) != 0) power = crc_multiply<P>(power, square);
    square = crc_multiply<P>(square, square);
  }
  return power;
}

/// What a byte does to the CRC when 0 to 7 others follow it ("slicing by 8", M. Kounavis and F. Berry, 2005).
template <std::uint32_t P>
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_crc_tables() noexcept {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? P : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t i = 1; i < 8; ++i)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[i][byte] = (tables[i - 1][byte] >> 8) ^ tables[0][tables[i - 1][byte] & 255];
  return tables;
}
template <std::uint32_t P>
inline constexpr auto crc_tables = make_crc_tables<P>();

/// The state of the CRC, which is its complement, after these bytes. For any processor.
template <std::uint32_t P>
std::uint32_t crc_by_tables(byte_span bytes, std::uint32_t state) noexcept {
  const auto& tables = crc_tables<P>;
  const auto* next = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, next += 8) {
    state ^= next[0] | static_cast<std::uint32_t>(next[1]) << 8 | static_cast<std::uint32_t>(next[2]) << 16 |
             static_cast<std::uint32_t>(next[3]) << 24;
    state = tables[7][state & 255] ^ tables[6][(state >> 8) & 255] ^ tables[5][(state >> 16) & 255] ^
            tables[4][state >> 24] ^ tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^ tables[0][next[7]];
  }
  for (; left != 0; --left, ++next) state = (state >> 8) ^ tables[0][(state ^ *next) & 255];
  return state;
}

#if defined(__x86_64__)

inline bool can_fold_crc() noexcept {
  static const bool can = __builtin_cpu_supports("pclmul") != 0;
  return can;
}

__attribute__((target("pclmul"))) inline __m128i load_block(const std::byte* from) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

/// What 128 bits are worth as many bits later as `constants` are for, added to the 128 bits there.
__attribute__((target("pclmul"))) inline __m128i fold_block(__m128i block, __m128i constants, __m128i there) noexcept {
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(block, constants, 0x00), there),
                       _mm_clmulepi64_si128(block, constants, 0x11));
}

/// The same by carry-less multiplication, four times 128 bits at once (V. Gopal et al., "Fast CRC Computation for Generic Polynomials
/// Using PCLMULQDQ Instruction", Intel 2009). The last 128 bits go through the tables, which spares the paper's reduction. At
/// least 64 bytes.
template <std::uint32_t P>
__attribute__((target("pclmul"))) std::uint32_t crc_by_folding(byte_span bytes, std::uint32_t state) noexcept {
  constexpr auto constant = [](std::uint64_t bits) {  // the products of reflected words lack a factor of x
    return static_cast<long long>(static_cast<std::uint64_t>(crc_power<P>(bits)) << 1);
  };
  constexpr long long far_low = constant(4 * 128 + 32), far_high = constant(4 * 128 - 32);
  constexpr long long near_low = constant(128 + 32), near_high = constant(128 - 32);
  const __m128i by_four = _mm_set_epi64x(far_high, far_low), by_one = _mm_set_epi64x(near_high, near_low);
  const std::byte* next = bytes.data();
  std::size_t left = bytes.size() - 64;
  __m128i a = _mm_xor_si128(load_block(next), _mm_cvtsi32_si128(static_cast<int>(state)));
  __m128i b = load_block(next + 16), c = load_block(next + 32), d = load_block(next + 48);
  for (next += 64; left >= 64; left -= 64, next += 64) {
    a = fold_block(a, by_four, load_block(next));
    b = fold_block(b, by_four, load_block(next + 16));
    c = fold_block(c, by_four, load_block(next + 32));
    d = fold_block(d, by_four, load_block(next + 48));
  }
  a = fold_block(fold_block(fold_block(a, by_one, b), by_one, c), by_one, d);
  for (; left >= 16; left -= 16, next += 16) a = fold_block(a, by_one, load_block(next));
  std::array<std::byte, 16> last;
  std::memcpy(last.data(), &a, sizeof a);
  return crc_by_tables<P>({next, left}, crc_by_tables<P>(last, 0));
}

#endif

/// The CRC of what follows bytes whose CRC is `before`.
template <std::uint32_t P>
std::uint32_t crc_of(byte_span bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
  if (bytes.size() >= 64 && can_fold_crc()) return ~crc_by_folding<P>(bytes, ~before);
#endif
  return ~crc_by_tables<P>(bytes, ~before);
}

}  // namespace corolith::inline v0::s3::detail
