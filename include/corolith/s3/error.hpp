// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>

#include <string>
#include <string_view>

namespace corolith::inline v0::s3 {

/// What a server said when it did not do what it was asked, and what that was. All but the operation may be empty.
struct failure_details {
  std::string operation;  ///< "get", "upload part 7": how the text of the error begins
  std::string bucket;
  std::string key;
  int status = 0;          ///< of HTTP; 0: there was no answer
  std::string name;        ///< "NoSuchKey": S3's name for it
  std::string message;     ///< the server's own words
  std::string request_id;  ///< what the people who run the server ask for
  std::string host_id;     ///< the second half of that, with AWS
  std::string region;      ///< where the bucket is, or what the signature should say, when the server tells
};

/// An operation of S3 that did not succeed. `what()` says which, on what, why, and what may be done about it. `code()`:
///
/// | errc | |
/// |---|---|
/// | not_found | no such object, bucket, upload or version |
/// | already_exists | a bucket of that name |
/// | access_denied | rights, unknown or wrong credentials, expired ones, a wrong clock |
/// | precondition_failed | a condition of the caller does not hold, or the object changed while it was read |
/// | corrupted | what was sent or received has another checksum or length |
/// | unreachable | no answer, also after all retries |
/// | misuse | a request that no server would accept: a bad key or bucket |
/// | storage | everything else that a server says |
class s3_error : public error {
 public:
  COROLITH_DECL s3_error(errc code, const std::string& what, failure_details details);
  /// The code and the text follow from what the server said.
  COROLITH_DECL explicit s3_error(failure_details details);

  const failure_details& details() const noexcept { return details_; }
  int status() const noexcept { return details_.status; }
  const std::string& name() const noexcept { return details_.name; }
  const std::string& message() const noexcept { return details_.message; }
  const std::string& request_id() const noexcept { return details_.request_id; }
  const std::string& host_id() const noexcept { return details_.host_id; }
  const std::string& operation() const noexcept { return details_.operation; }
  const std::string& bucket() const noexcept { return details_.bucket; }
  const std::string& key() const noexcept { return details_.key; }
  /// The object is still the one that the caller has: `if_none_match` or `if_modified_since` said no.
  bool not_modified() const noexcept { return details_.status == 304; }

 private:
  failure_details details_;
};

namespace detail {

/// What a status and S3's name for the failure mean.
COROLITH_DECL errc code_of(int status, std::string_view name) noexcept;
/// "get s3://bucket/key: NoSuchKey (404): The specified key does not exist (request tx0001)", and a cure where there is one.
COROLITH_DECL std::string describe(const failure_details& details);

}  // namespace detail
}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/error.ipp>
#endif
