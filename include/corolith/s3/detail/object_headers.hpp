// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What of an object stands in header fields, both ways.
namespace corolith::inline v0::s3::detail {

/// Content-Type and so on, and the metadata. Throws errc::misuse for a name of metadata that cannot be in a header.
COROLITH_DECL void add_object_headers(header_list& to, const object_headers& from);
/// If-Match and so on; for the source of a copy `prefix` is "x-amz-copy-source-".
COROLITH_DECL void add_conditions(header_list& to, const conditions& when, std::string_view prefix = {});

/// `"abc"` of abc; what has quotes, and "*", stays.
COROLITH_DECL std::string quoted_etag(std::string_view etag);
/// The reverse; W/ stays in front.
COROLITH_DECL std::string unquoted_etag(std::string_view etag);

/// "bytes 0-99/1234"
struct content_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> total;
};
/// Nothing for what is none.
COROLITH_DECL std::optional<content_range> parse_content_range(std::string_view text) noexcept;

/// What the answer to a GET or HEAD says of the object.
COROLITH_DECL object_info object_info_of(const http_response& head);
/// The checksums that an answer names.
COROLITH_DECL std::map<checksum_kind, std::string> checksums_of(const header_list& headers);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/object_headers.ipp>
#endif
