// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3 {

/// Names and values of a query, not encoded. A name alone has an empty value.
using query_list = std::vector<std::pair<std::string, std::string>>;

/// How a bucket stands in a URL: as the first part of the path, or of the host's name. Automatic: the latter at AWS when the name allows
/// it (and, over TLS, the certificate), else the former.
enum class addressing { automatic, path, virtual_host };

/// A server that speaks S3, and the region that signatures for it name.
struct endpoint {
  bool tls = true;
  std::string host;  ///< in lower case; an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string base_path;  ///< "/gateway": what all paths begin with there, encoded; mostly empty
  std::string region = "us-east-1";
  addressing style = addressing::automatic;

  /// From "https://host:port/path", "http://...", or a host alone, which means https. The region of an AWS host follows from its
  /// name where `region` is empty; elsewhere it is then us-east-1. Throws config_error that says what is wrong.
  COROLITH_DECL static endpoint parse(std::string_view url, std::string_view region = {},
                                      addressing style = addressing::automatic);
  /// Amazon's own in a region: s3.REGION.amazonaws.com. Throws config_error for what cannot be a region.
  COROLITH_DECL static endpoint aws(std::string_view region);

  /// The URL again, without a slash at its end.
  COROLITH_DECL std::string to_string() const;
  /// Whether it is one of Amazon's.
  COROLITH_DECL bool is_aws() const noexcept;
  /// The same server in another region: at AWS another host, elsewhere only another word in signatures.
  COROLITH_DECL endpoint in_region(std::string_view other) const;
  /// Whether requests for this bucket have its name in the path.
  COROLITH_DECL bool uses_path(std::string_view bucket) const noexcept;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Where a request for a bucket or an object goes.
struct request_place {
  std::string host;         ///< to be resolved and connected to, and to be found in the certificate
  std::string host_header;  ///< the same with the port, unless it is the usual one
  std::string target;       ///< path and query, encoded
};

/// For an object, a bucket (no key) or the list of buckets (no bucket). Throws errc::misuse for names that cannot be.
COROLITH_DECL request_place locate(const endpoint& where, std::string_view bucket, std::string_view key,
                                   const query_list& query);

/// %XX for every byte but letters, digits and -._~, as signatures want it; slashes stay where `keep_slash`.
COROLITH_DECL std::string uri_encode(std::string_view text, bool keep_slash);
/// The reverse; a % that is followed by no two hexadecimal digits stays. In queries and listings `plus_is_space`.
COROLITH_DECL std::string uri_decode(std::string_view text, bool plus_is_space = false);
/// "a=1&b=x%20y&delete=": in the order given.
COROLITH_DECL std::string encode_query(const query_list& query);

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/endpoint.ipp>
#endif
