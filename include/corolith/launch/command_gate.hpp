// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <chrono>
#include <deque>

namespace corolith {
inline namespace v0 {
namespace launch {

/// Lets one command through in an interval, for all who share it: the pressing ones first, else in the order in which
/// they asked first. Not thread-safe.
class command_gate {
 public:
  using clock = std::chrono::steady_clock;

  explicit command_gate(std::chrono::nanoseconds interval = std::chrono::seconds(5)) : interval_(interval) {}

  /// Whether `who` may run a command now; if not it keeps its place until it may or leaves.
  bool may(const void* who, bool pressing = false, clock::time_point now = clock::now()) {
    const auto is_who = [&](const place& each) { return each.who == who; };
    if (std::none_of(waiting_.begin(), waiting_.end(), is_who)) {
      const auto behind =
          std::find_if(waiting_.begin(), waiting_.end(), [](const place& each) { return !each.pressing; });
      waiting_.insert(pressing ? behind : waiting_.end(), {who, pressing});
    }
    if (now < next_ || waiting_.front().who != who) return false;
    waiting_.pop_front();
    next_ = now + interval_;
    return true;
  }
  void leave(const void* who) noexcept {
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), [&](const place& each) { return each.who == who; }),
                   waiting_.end());
  }

 private:
  struct place {
    const void* who;
    bool pressing;
  };

  std::chrono::nanoseconds interval_;
  clock::time_point next_{};
  std::deque<place> waiting_;
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith
