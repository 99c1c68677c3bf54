// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/access_keys.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace corolith::inline v0::s3::detail {

/// Runs a profile's `credential_process` by the shell and reads what it prints. Throws config_error that begins with `source` for a
/// command that fails, takes longer than `time` (it is killed then) or prints something else. A stop request ends it.
COROLITH_DECL task<credentials> run_credential_process(std::string command, std::string source,
                                                       std::chrono::nanoseconds time);

/// From {"Version": 1, "AccessKeyId": ..., "SecretAccessKey": ..., "SessionToken": ..., "Expiration": ...}. Errors show nothing of the text.
COROLITH_DECL credentials parse_process_output(std::string_view text, const std::string& source, time_point now);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/credential_process.ipp>
#endif
