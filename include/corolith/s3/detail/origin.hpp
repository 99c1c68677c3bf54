// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>
#include <string>

namespace corolith::inline v0::s3::detail {

/// Where requests go: what a connection can be used again for.
struct origin {
  bool tls = true;
  std::string host;  ///< a name, or the numbers of an address, IPv6 without brackets
  std::uint16_t port = 443;

  /// "https://host:443", for messages.
  std::string to_string() const {
    const bool numbers = host.find(':') != std::string::npos;
    return (tls ? "https://" : "http://") + (numbers ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
  friend bool operator==(const origin&, const origin&) = default;
};

}  // namespace corolith::inline v0::s3::detail
