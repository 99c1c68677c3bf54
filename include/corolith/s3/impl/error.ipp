// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace corolith::inline v0::s3 {

COROLITH_DECL s3_error::s3_error(errc code, const std::string& what, failure_details details)
    : error(code, what), details_(std::move(details)) {}

COROLITH_DECL s3_error::s3_error(failure_details details)
    : error(detail::code_of(details.status, details.name), detail::describe(details)), details_(std::move(details)) {}

namespace detail {

struct named_failure {
  std::string_view name;
  errc code;
};
inline constexpr std::array<named_failure, 23> named_failures{{
    {"BucketAlreadyExists", errc::already_exists},
    {"BucketAlreadyOwnedByYou", errc::already_exists},
    {"PreconditionFailed", errc::precondition_failed},
    {"ConditionalRequestConflict", errc::precondition_failed},
    {"NotModified", errc::precondition_failed},
    {"AccessDenied", errc::access_denied},
    {"AllAccessDisabled", errc::access_denied},
    {"AccountProblem", errc::access_denied},
    {"AuthorizationHeaderMalformed", errc::access_denied},
    {"ExpiredToken", errc::access_denied},
    {"InvalidAccessKeyId", errc::access_denied},
    {"InvalidToken", errc::access_denied},
    {"RequestExpired", errc::access_denied},
    {"RequestTimeTooSkewed", errc::access_denied},
    {"SignatureDoesNotMatch", errc::access_denied},
    {"TokenRefreshRequired", errc::access_denied},
    {"BadDigest", errc::corrupted},
    {"IncompleteBody", errc::corrupted},
    {"XAmzContentSHA256Mismatch", errc::corrupted},
    {"InvalidBucketName", errc::misuse},
    {"InvalidURI", errc::misuse},
    {"KeyTooLongError", errc::misuse},
    {"NotFound", errc::not_found},
}};

COROLITH_DECL errc code_of(int status, std::string_view name) noexcept {
  if (name.starts_with("NoSuch")) return errc::not_found;
  for (const named_failure& each : named_failures)
    if (each.name == name) return each.code;
  switch (status) {
    case 0: return errc::unreachable;
    case 304:
    case 412: return errc::precondition_failed;
    case 401:
    case 403: return errc::access_denied;
    case 404: return errc::not_found;
    default: return errc::storage;
  }
}

/// As an error shows what others wrote: one line, and no endless one.
inline std::string shown_text(std::string_view text, std::size_t most) {
  std::string line(text.substr(0, most));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > most ? line + "..." : line;
}

inline std::string_view cure_by_name(std::string_view name) noexcept {
  struct cure {
    std::string_view name, text;
  };
  static constexpr std::array<cure, 9> cures{{
      {"RequestTimeTooSkewed", "this machine's clock and the server's differ too much: set it, best by NTP"},
      {"SignatureDoesNotMatch",
       "the secret key is not that of the access key, or something on the way changes requests"},
      {"InvalidAccessKeyId",
       "the server does not know the access key: see that credentials and endpoint belong together"},
      {"ExpiredToken", "the session token has expired: get new credentials"},
      {"InvalidToken", "the session token is not that of the access key"},
      {"BucketNotEmpty", "remove its objects and unfinished uploads first"},
      {"NoSuchBucket", "look at the bucket's name and the endpoint"},
      {"EntityTooSmall", "parts but the last must have 5 MiB and more"},
      {"NotImplemented", "this server does not know this operation or one of its options"},
  }};
  for (const cure& each : cures)
    if (each.name == name) return each.text;
  return {};
}

inline std::string cure_of(const failure_details& details) {
  const bool elsewhere = details.name == "AuthorizationHeaderMalformed" || details.name == "PermanentRedirect" ||
                         details.name == "TemporaryRedirect" || details.name == "IllegalLocationConstraintException" ||
                         details.status == 301 || details.status == 307;
  if (elsewhere && !details.region.empty())
    return "the bucket is in another region: set it to " + shown_text(details.region, 64);
  if (elsewhere) return "the bucket is in another region: set it (AWS_REGION, or region= in the URL)";
  const std::string_view cure = cure_by_name(details.name);
  if (cure.empty() && details.status == 403 && details.name.empty())
    return "without a text from the server this is a lack of rights, wrong credentials, or a wrong clock";
  return std::string(cure);
}

COROLITH_DECL std::string describe(const failure_details& details) {
  std::string text = shown_text(details.operation, 100);
  if (!details.bucket.empty()) text += fmt::format(" s3://{}", shown_text(details.bucket, 100));
  if (!details.key.empty()) text += fmt::format("/{}", shown_text(details.key, 200));
  text += ": ";
  const std::string name = shown_text(details.name, 100);
  if (details.status == 0) {
    text += name.empty() ? "no answer" : name;
  } else {
    text += name.empty() ? fmt::format("status {}", details.status) : fmt::format("{} ({})", name, details.status);
  }
  if (!details.message.empty()) text += ": " + shown_text(details.message, 500);
  if (!details.request_id.empty()) text += fmt::format(" (request {})", shown_text(details.request_id, 100));
  const std::string cure = cure_of(details);
  return cure.empty() ? text : text + "; " + cure;
}

}  // namespace detail
}  // namespace corolith::inline v0::s3
