// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/types.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace corolith::inline v0::s3::detail {

/// "Fri, 24 May 2013 00:00:00 GMT" (RFC 1123), as in HTTP. Nothing for what is no such date.
COROLITH_DECL std::optional<time_point> parse_http_date(std::string_view text) noexcept;
COROLITH_DECL std::string format_http_date(time_point when);

/// "2009-10-12T17:50:30.000Z" (ISO 8601), with any number of digits behind the point or none, or an offset "+02:00" for the Z; also
/// "20130524T000000Z". Nothing for what is no such date.
COROLITH_DECL std::optional<time_point> parse_iso_date(std::string_view text) noexcept;
/// With milliseconds.
COROLITH_DECL std::string format_iso_date(time_point when);

/// "20130524T000000Z", as in signatures.
COROLITH_DECL std::string format_amz_date(time_point when);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/dates.ipp>
#endif
