// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace corolith {
inline namespace v0 {

/// Names one attempt of one call. The attempt number only grows; a result of an older attempt is dropped.
struct call_id {
  std::uint64_t batch = 0;
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;

  friend auto operator<=>(const call_id&, const call_id&) = default;
};

/// The life of a call that ended. Times are system_clock; `started` and `ended` were read on the node that ran the call.
struct call_stats {
  using time_point = std::chrono::system_clock::time_point;

  std::string host;           ///< the node that ran it
  std::int32_t pid = 0;       ///< the worker's process id
  std::uint32_t attempt = 0;  ///< 1 when the first execution gave the result
  time_point submitted{};     ///< the call was made
  time_point sent{};          ///< it left the driver (last attempt)
  time_point started{};       ///< the function was entered
  time_point ended{};         ///< the function returned or threw
  time_point received{};      ///< the driver had the result
};

}  // namespace v0
}  // namespace corolith
