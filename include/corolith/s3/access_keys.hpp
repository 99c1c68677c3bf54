// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/types.hpp>

#include <optional>
#include <string>

namespace corolith::inline v0::s3 {

/// What requests are signed with. There is no way to print them: none of it belongs in a log.
struct credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;          ///< of temporary ones; else empty
  std::optional<time_point> expires;  ///< nothing: never

  /// No signature at all: for objects that everybody may read.
  bool anonymous() const noexcept { return access_key.empty(); }
};

}  // namespace corolith::inline v0::s3
