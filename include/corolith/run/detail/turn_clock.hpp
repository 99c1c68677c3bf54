// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The time of events of one turn of a loop, read once for several of them: three readings for each call were a quarter of the
/// driver's time for calls that do nothing. It is never of an earlier turn, and stands still for 16 events at most.
/// For the loop's thread only.
class turn_clock {
 public:
  struct times {
    std::int64_t steady_ns = 0, system_ns = 0;
  };

  times now() {
    if (left_ == 0) {
      last_ = {since_epoch(std::chrono::steady_clock::now()), since_epoch(std::chrono::system_clock::now())};
      left_ = 16;
    }
    --left_;
    return last_;
  }
  /// Not before `system_ns`, which another process of this machine may have read a moment ago.
  times now_after(std::int64_t system_ns) {
    if (last_.system_ns < system_ns) left_ = 0;
    return now();
  }
  void end_turn() noexcept { left_ = 0; }

 private:
  static std::int64_t since_epoch(auto time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  }

  times last_;
  int left_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
