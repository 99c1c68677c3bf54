// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/tls_options.hpp>

#include <chrono>
#include <cstddef>

namespace corolith::inline v0::s3 {

/// How requests travel.
struct transport_options {
  tls_options tls;
  /// For each address of a host: until the connection stands; then once more until TLS does.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(5);
  /// The longest time in which not one byte moves.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);
  /// How long a connection that nobody uses is kept.
  std::chrono::nanoseconds keep_alive = std::chrono::seconds(20);
  /// How many connections there are at the same time, over all hosts.
  std::size_t most_connections = 64;
};

}  // namespace corolith::inline v0::s3
