// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

/// CRC32C (Castagnoli), fast enough not to be what is measured.
namespace bench::storage {
namespace detail {

constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
    table[i] = value;
  }
  return table;
}();

inline std::uint32_t crc32c_bytes(std::uint32_t sum, std::span<const std::byte> bytes) {
  for (const std::byte each : bytes)
    sum = (sum >> 8U) ^ crc32c_table[(sum ^ std::to_integer<std::uint32_t>(each)) & 0xffU];
  return sum;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) inline std::uint32_t crc32c_words(std::uint32_t sum,
                                                                    std::span<const std::byte> bytes) {
  std::uint64_t wide = sum;
  std::size_t at = 0;
  for (; at + sizeof wide <= bytes.size(); at += sizeof wide) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  return crc32c_bytes(static_cast<std::uint32_t>(wide), bytes.subspan(at));
}
#endif

}  // namespace detail

inline std::uint32_t crc32c(std::span<const std::byte> bytes) {
  constexpr std::uint32_t ones = 0xffffffffU;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0) return detail::crc32c_words(ones, bytes) ^ ones;
#endif
  return detail::crc32c_bytes(ones, bytes) ^ ones;
}

}  // namespace bench::storage
