// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/detail/digest.hpp>
#include <corolith/s3/detail/http_message.hpp>

#include <string>
#include <string_view>

// The steps of Signature Version 4, one by one, as its documentation names them.

namespace corolith::inline v0::s3::detail {

/// What a signature is for: "20130524T000000Z", "us-east-1", "s3".
struct signing_scope {
  std::string date;
  std::string region;
  std::string service = "s3";

  std::string day() const { return date.substr(0, 8); }
  std::string text() const { return day() + "/" + region + "/" + service + "/aws4_request"; }
};

struct canonical_request {
  std::string text;
  std::string signed_headers;  ///< "host;x-amz-date"
};

/// The request in the one way of writing it that both ends sign. Its target must be encoded as `uri_encode` does it; paths are not
/// normalised, as S3's rule is.
COROLITH_DECL canonical_request canonical(const http_request& request, std::string_view payload_hash);

/// The key for a day. The thread keeps the last one.
COROLITH_DECL digest256 signing_key(std::string_view secret, const signing_scope& scope);

/// "AWS4-HMAC-SHA256\n..." of a canonical request.
COROLITH_DECL std::string string_to_sign(const signing_scope& scope, std::string_view canonical_text);

/// In hexadecimal digits.
COROLITH_DECL std::string signature(const digest256& key, std::string_view string);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/signing.ipp>
#endif
