// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/call_stats.hpp>
#include <corolith/core/version.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// A page of memory that a slot of a worker shares with its agent. The worker notes which call it runs, so that the agent knows which
/// one to blame when the process is gone, together with results that it had not sent yet. Costs two stores a call.
struct progress_page {
  static constexpr std::size_t size = 4096;

  std::atomic<std::uint64_t> batch{0};
  std::atomic<std::uint64_t> index_and_attempt{0};
  std::atomic<std::uint32_t> running{0};
  std::atomic<std::uint32_t> crashed{0};

  void enter(const call_id& id) noexcept {
    batch.store(id.batch, std::memory_order_relaxed);
    index_and_attempt.store((std::uint64_t{id.index} << 32U) | id.attempt, std::memory_order_relaxed);
    running.store(1, std::memory_order_release);
  }
  void leave() noexcept { running.store(0, std::memory_order_release); }
  /// The call that runs ends the process. May be called in signal handlers.
  void crash() noexcept { crashed.store(1, std::memory_order_release); }

  /// These are for the agent, once the worker is gone.
  bool has_crashed() const noexcept { return crashed.load(std::memory_order_acquire) != 0 && read().has_value(); }
  std::optional<call_id> read() const noexcept {
    if (running.load(std::memory_order_acquire) == 0) return std::nullopt;
    const std::uint64_t packed = index_and_attempt.load(std::memory_order_relaxed);
    return call_id{batch.load(std::memory_order_relaxed), static_cast<std::uint32_t>(packed >> 32U),
                   static_cast<std::uint32_t>(packed)};
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(progress_page) <= progress_page::size);

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
