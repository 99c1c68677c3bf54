// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/crc.hpp>

namespace corolith::inline v0::s3 {

COROLITH_DECL std::uint32_t crc32c(byte_span bytes, std::uint32_t before) noexcept {
  return detail::crc_of<detail::crc32c_polynomial>(bytes, before);
}

COROLITH_DECL std::uint32_t crc32(byte_span bytes, std::uint32_t before) noexcept {
  return detail::crc_of<detail::crc32_polynomial>(bytes, before);
}

// The first CRC is worth x^(8 n) times as much where n bytes follow.
COROLITH_DECL std::uint32_t combine_crc(checksum_kind kind, std::uint32_t first, std::uint32_t second,
                                        std::uint64_t second_size) noexcept {
  constexpr auto castagnoli = detail::crc32c_polynomial, zip = detail::crc32_polynomial;
  const std::uint64_t bits = 8 * (second_size % 0xffffffffu);  // x^(2^32 - 1) is 1
  if (kind == checksum_kind::crc32c)
    return detail::crc_multiply<castagnoli>(detail::crc_power<castagnoli>(bits), first) ^ second;
  return detail::crc_multiply<zip>(detail::crc_power<zip>(bits), first) ^ second;
}

COROLITH_DECL void checksum::update(byte_span bytes) {
  switch (kind_) {
    case checksum_kind::none: break;
    case checksum_kind::crc32c: crc_ = crc32c(bytes, crc_); break;
    case checksum_kind::crc32: crc_ = crc32(bytes, crc_); break;
    case checksum_kind::sha256: sha256_->update(bytes); break;
  }
}

COROLITH_DECL std::vector<std::byte> checksum::digest() const {
  if (kind_ == checksum_kind::none) return {};
  if (kind_ == checksum_kind::sha256) {
    const detail::digest256 made = sha256_->digest();
    return {made.begin(), made.end()};
  }
  std::vector<std::byte> made;
  for (int shift = 24; shift >= 0; shift -= 8) made.push_back(static_cast<std::byte>((crc_ >> shift) & 255));
  return made;
}

COROLITH_DECL std::string checksum::base64() const { return detail::to_base64(digest()); }

COROLITH_DECL std::string_view checksum_header(checksum_kind kind) noexcept {
  switch (kind) {
    case checksum_kind::none: break;
    case checksum_kind::crc32c: return "x-amz-checksum-crc32c";
    case checksum_kind::crc32: return "x-amz-checksum-crc32";
    case checksum_kind::sha256: return "x-amz-checksum-sha256";
  }
  return {};
}

COROLITH_DECL std::string_view checksum_name(checksum_kind kind) noexcept {
  switch (kind) {
    case checksum_kind::none: break;
    case checksum_kind::crc32c: return "CRC32C";
    case checksum_kind::crc32: return "CRC32";
    case checksum_kind::sha256: return "SHA256";
  }
  return {};
}

}  // namespace corolith::inline v0::s3
