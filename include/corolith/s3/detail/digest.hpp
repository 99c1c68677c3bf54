// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace corolith::inline v0::s3::detail {

/// 256 bits: a SHA-256, an HMAC of it, a key.
using digest256 = std::array<std::byte, 32>;

inline byte_span bytes_of_text(std::string_view text) noexcept {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

COROLITH_DECL digest256 sha256(byte_span bytes);
/// HMAC-SHA-256 (RFC 2104). Made of the hash itself: OpenSSL 3's one-call HMAC looks its algorithms up by name each time, and takes three
/// times as long for a short text.
COROLITH_DECL digest256 hmac_sha256(byte_span key, byte_span text);

/// In lower case.
COROLITH_DECL std::string to_hex(byte_span bytes);
COROLITH_DECL std::string to_base64(byte_span bytes);
/// Content-MD5 of a body, as DeleteObjects needs it.
COROLITH_DECL std::string content_md5(byte_span body);

/// A SHA-256 over bytes that come piece by piece.
class running_sha256 {
 public:
  COROLITH_DECL running_sha256();
  COROLITH_DECL void update(byte_span bytes);
  /// Of what came so far; more may come.
  COROLITH_DECL digest256 digest() const;

 private:
  std::unique_ptr<void, void (*)(void*)> state_;  // EVP_MD_CTX, whose header stays out of here
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/digest.ipp>
#endif
