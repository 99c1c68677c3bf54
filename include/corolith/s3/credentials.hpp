// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/access_keys.hpp>
#include <corolith/s3/profile.hpp>

#include <chrono>
#include <memory>

namespace corolith::inline v0::s3 {

/// Where credentials come from. Shared by clients; `get` may be awaited on any loop, by many tasks at once.
class credentials_provider {
 public:
  credentials_provider() = default;
  credentials_provider(const credentials_provider&) = delete;
  credentials_provider& operator=(const credentials_provider&) = delete;
  virtual ~credentials_provider() = default;

  /// Credentials that are valid now. Throws s3_error (errc::access_denied) when there are none and says where was looked,
  /// config_error when a file is wrong. The provider lives until the task has ended.
  virtual task<credentials> get() = 0;
};

/// Always these. Throws errc::misuse when one of the two keys is missing.
COROLITH_DECL std::shared_ptr<credentials_provider> static_credentials(credentials given);

/// None: requests are not signed.
COROLITH_DECL std::shared_ptr<credentials_provider> anonymous_credentials();

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, read at each use.
COROLITH_DECL std::shared_ptr<credentials_provider> environment_credentials();

/// A profile of the files of AWS's tools: its keys, or what its `credential_process` prints. The files are read at the first use, and
/// again when what they gave expires. Profiles with a role or single sign-on are refused with a text that says what to do.
/// `process_time`: how long that command may take.
COROLITH_DECL std::shared_ptr<credentials_provider> profile_credentials(
    profile_location where = {}, std::chrono::nanoseconds process_time = std::chrono::minutes(1));

/// The first that is there: the profile, if `where` names one; the environment; the profile that AWS_PROFILE names, or
/// "default". The metadata services of cloud machines are not asked (s3/metadata_credentials.hpp does when told to).
COROLITH_DECL std::shared_ptr<credentials_provider> default_credentials(profile_location where = {});

/// Keeps what `inner` gives and asks again `early` before it expires: one request at a time, however many wait. When asking again fails, what is kept
/// is used as long as it is valid. Profile and default credentials do so by themselves.
COROLITH_DECL std::shared_ptr<credentials_provider> cached_credentials(
    std::shared_ptr<credentials_provider> inner, std::chrono::nanoseconds early = std::chrono::minutes(5));

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/credentials.ipp>
#endif
