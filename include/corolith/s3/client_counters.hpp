// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>

namespace corolith::inline v0::s3 {

/// What a client has done so far.
struct client_counters {
  std::uint64_t requests = 0;        ///< sent, repeated ones included
  std::uint64_t retries = 0;         ///< of those, because of a failure
  std::uint64_t redirects = 0;       ///< because the bucket is in another region, or a clock was wrong
  std::uint64_t hedges = 0;          ///< because a first byte was late
  std::uint64_t bytes_sent = 0;      ///< of objects, also in requests that failed
  std::uint64_t bytes_received = 0;  ///< of objects
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_reused = 0;  ///< how often a request found one that was open
  std::uint64_t memory_in_use = 0;       ///< bytes of the budget, now
  std::uint64_t memory_peak = 0;
};

}  // namespace corolith::inline v0::s3
