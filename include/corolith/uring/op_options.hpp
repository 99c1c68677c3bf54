// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>

namespace corolith {
inline namespace v0 {
namespace uring {

/// The duration that never ends.
inline constexpr std::chrono::nanoseconds no_timeout = std::chrono::nanoseconds::max();

/// Settings of one operation.
struct op_options {
  /// After this long without an end the operation fails with std::errc::timed_out. Those that end in `_all` begin anew
  /// with each part that was moved: it is the longest time without progress.
  std::chrono::nanoseconds timeout = no_timeout;
};

}  // namespace uring
}  // namespace v0
}  // namespace corolith
