// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>

#include <string>

namespace corolith::inline v0::s3 {

/// No answer, or half of one: errc::unreachable (no such host, refused, reset, too slow, cut off), errc::protocol (what
/// came is no HTTP, or not as long as it says), errc::access_denied (TLS: the server is not who it should be).
class transport_error : public error {
 public:
  transport_error(errc code, const std::string& what, bool nothing_received = false)
      : error(code, what), nothing_received_(nothing_received) {}

  /// The connection had been used before, and ended before a byte of the answer: the server had most likely closed it
  /// already, so the request may be sent once more at once.
  bool nothing_received() const noexcept { return nothing_received_; }

 private:
  bool nothing_received_;
};

}  // namespace corolith::inline v0::s3
