// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace corolith::inline v0::s3::detail {

/// How long servers took to begin their answers, and after which time a request is worth being sent again (J. Dean and L. A. Barroso, "The Tail
/// at Scale": after the 99th percentile, so that one request of a hundred is sent twice). Not thread-safe.
class first_byte_times {
 public:
  using duration = std::chrono::nanoseconds;

  explicit first_byte_times(duration at_least) noexcept : at_least_(at_least), delay_(5 * at_least) {}

  void add(duration took) noexcept {
    samples_[count_ % samples_.size()] = took;
    ++count_;
    if (tokens_ < most_tokens) ++tokens_;
    if (count_ % refreshed_every == 0) refresh();
  }
  /// When to send again. Five times the least delay until enough is known.
  duration delay() const noexcept { return delay_; }
  /// Whether to do it: not for more than one request of ten in the long run, as a server that is slow because it is busy must not be asked twice
  /// for everything.
  bool take() noexcept {
    if (tokens_ < tokens_each) return false;
    tokens_ -= tokens_each;
    return true;
  }

 private:
  void refresh() noexcept {
    std::array<duration, 256> sorted = samples_;
    const std::size_t known = std::min<std::size_t>(sorted.size(), count_);
    const std::size_t at = known * 99 / 100;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at),
                     sorted.begin() + static_cast<std::ptrdiff_t>(known));
    delay_ = std::max(at_least_, sorted[at] + sorted[at] / 2);
  }

  static constexpr std::uint64_t refreshed_every = 64;
  static constexpr unsigned tokens_each = 10;
  static constexpr unsigned most_tokens = 100;

  std::array<duration, 256> samples_{};
  std::uint64_t count_ = 0;
  unsigned tokens_ = most_tokens;
  duration at_least_;
  duration delay_;
};

}  // namespace corolith::inline v0::s3::detail
