// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace corolith::inline v0::wire::detail {

/// Keeps strangers from filling a log: the first event gives a line, those of the next minute are counted, and one line
/// tells of them. Decides only; whoever asks writes.
class quiet_log {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds interval{60};

  /// Something happened. The line to write now, if any.
  std::optional<std::string> note(time_point now, std::string what) {
    if (started_ && now - begin_ < interval) {
      ++held_back_;
      last_ = std::move(what);
      return std::nullopt;
    }
    const std::string more = counted();
    started_ = true;
    begin_ = now;
    return more.empty() ? what : what + " (" + more + ")";
  }

  /// What has not been told yet, at the end.
  std::optional<std::string> rest() {
    std::string last = std::exchange(last_, {});
    const std::string more = counted();
    return more.empty() ? std::nullopt : std::optional(more + "; the last: " + last);
  }

 private:
  std::string counted() {
    const std::uint64_t count = std::exchange(held_back_, 0);
    return count == 0 ? std::string() : std::to_string(count) + " more since the last such line";
  }

  bool started_ = false;
  time_point begin_{};
  std::uint64_t held_back_ = 0;
  std::string last_;
};

}  // namespace corolith::inline v0::wire::detail
