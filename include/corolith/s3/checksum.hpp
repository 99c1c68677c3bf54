// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/detail/digest.hpp>
#include <corolith/s3/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corolith::inline v0::s3 {

/// A checksum over bytes that come piece by piece. Not thread-safe.
class checksum {
 public:
  /// Of kind `none`, it is a checksum without a byte.
  explicit checksum(checksum_kind kind) : kind_(kind) {
    if (kind == checksum_kind::sha256) sha256_.emplace();
  }

  checksum_kind kind() const noexcept { return kind_; }
  COROLITH_DECL void update(byte_span bytes);
  /// Of what came so far; more may come. Four bytes, the highest first, or 32.
  COROLITH_DECL std::vector<std::byte> digest() const;
  /// The same as S3 writes it.
  COROLITH_DECL std::string base64() const;

  static std::string of(checksum_kind kind, byte_span bytes) {
    checksum made(kind);
    made.update(bytes);
    return made.base64();
  }

 private:
  checksum_kind kind_;
  std::uint32_t crc_ = 0;
  std::optional<detail::running_sha256> sha256_;
};

/// CRC32C (Castagnoli) of bytes that follow those whose CRC is `before`. With the instructions of the processor, where it has them.
COROLITH_DECL std::uint32_t crc32c(byte_span bytes, std::uint32_t before = 0) noexcept;
/// CRC32 as in zip and Ethernet.
COROLITH_DECL std::uint32_t crc32(byte_span bytes, std::uint32_t before = 0) noexcept;
/// The CRC of `first` followed by the `second_size` bytes of `second`, for crc32c or crc32.
COROLITH_DECL std::uint32_t combine_crc(checksum_kind kind, std::uint32_t first, std::uint32_t second,
                                        std::uint64_t second_size) noexcept;

/// "x-amz-checksum-crc32c"; empty for `none`.
COROLITH_DECL std::string_view checksum_header(checksum_kind kind) noexcept;
/// "CRC32C": its name in XML and in x-amz-checksum-algorithm; empty for `none`.
COROLITH_DECL std::string_view checksum_name(checksum_kind kind) noexcept;

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/checksum.ipp>
#endif
