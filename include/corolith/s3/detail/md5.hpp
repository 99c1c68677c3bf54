// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// ETags are MD5s, of what was put at once and of what was put in parts, as long as nobody has the service encrypt it.
namespace corolith::inline v0::s3::detail {

/// Appends the 16 bytes that 32 hexadecimal digits stand for. False: they are no such digits.
COROLITH_DECL bool append_digest(std::vector<std::byte>& to, std::string_view digits);
/// MD5 of the pieces, one behind the other.
COROLITH_DECL std::string md5_hexadecimal(const std::vector<byte_span>& pieces);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/md5.ipp>
#endif
