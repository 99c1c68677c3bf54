// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/types.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace corolith::inline v0::schedule {

/// How long the calls of a batch take: the plain mean of the first eight, then an average that forgets.
class duration_estimate {
 public:
  void add(std::int64_t duration_ns) noexcept {
    if (samples_ < 8) ++samples_;
    mean_ns_ += (static_cast<double>(std::max<std::int64_t>(0, duration_ns)) - mean_ns_) / samples_;
  }
  bool measured() const noexcept { return samples_ > 0; }
  double mean_ns() const noexcept { return mean_ns_; }
  /// Keeps the value but lets new samples outweigh it soon: for a batch that starts from what another one learnt.
  void soften() noexcept { samples_ = std::min(samples_, 2); }

 private:
  double mean_ns_ = 0;
  int samples_ = 0;
};

/// Whether the calls of a batch take so long that one that waits behind another is worth taking back at once.
inline bool is_long(const settings& config, const duration_estimate& estimate) noexcept {
  return estimate.measured() && estimate.mean_ns() > static_cast<double>(config.long_call_ns);
}

/// How many calls of a batch are sent to each slot, the running one included. A power of two, so that it seldom
/// changes, unless the user set it. Before anything is measured a slot gets one call; the first result opens the window
/// to its full width. Long calls get one successor, which hides the way of the result and of the next call, unless
/// elements of `largest_bytes` would fill an agent's memory.
inline std::uint32_t depth_of(const settings& config, const batch_options& options, const duration_estimate& estimate,
                              std::uint64_t largest_bytes, std::uint32_t current) noexcept {
  if (options.exclusive_dispatch) return 1;
  if (options.chunk != 0) return std::min<std::uint32_t>(options.chunk, 1024);
  if (!estimate.measured()) return 1;
  if (is_long(config, estimate) && largest_bytes > config.most_ahead_bytes) return 1;
  const double queued = static_cast<double>(config.queued_work_ns) / std::max(1.0, estimate.mean_ns());
  const std::uint32_t limit = std::clamp<std::uint32_t>(config.max_depth, 1, 1024);
  const auto wanted = 1 + static_cast<std::uint32_t>(std::min<double>(std::max(1.0, queued), limit - 1));
  // Near a border between two depths the present one stays, or noise would move the batch to and fro.
  if (wanted <= current + current / 4 && wanted > current / 2 - current / 8 && current > 1)
    return std::min(current, limit);
  return std::min(std::bit_ceil(wanted), limit);
}

}  // namespace corolith::inline v0::schedule
