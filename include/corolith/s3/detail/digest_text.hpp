// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Digests as ETags and signatures write them.
namespace corolith::inline v0::s3::detail {

/// Two lower-case digits a byte.
COROLITH_DECL std::string hexadecimal(byte_span bytes);
/// Appends the 16 bytes that 32 hexadecimal digits stand for. False: they are no such digits.
COROLITH_DECL bool append_digest(std::vector<std::byte>& to, std::string_view digits);
/// MD5 of the pieces, one behind the other.
COROLITH_DECL std::string md5_hexadecimal(const std::vector<byte_span>& pieces);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/digest_text.ipp>
#endif
