// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/memory_segment.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace corolith {
inline namespace v0 {

/// How much of the memory this process may put into segments.
struct segment_limits {
  std::size_t count = 0;                  ///< segments at a time; each is an open file. 0: none at all
  std::uint64_t bytes = 0;                ///< in all of them
  std::uint64_t kept = 0;                 ///< of these, in segments that nobody uses just now
  std::chrono::milliseconds idle{10000};  ///< those are given back to the system after this

  /// For one of `sharers` processes of its kind on this machine.
  COROLITH_DECL static segment_limits of_machine(std::size_t sharers = 1) noexcept;
};

/// The segments that this process has made. The first touch of memory costs more than to copy something into it, so what was
/// used once is kept for a while. Thread-safe.
class segment_pool {
 public:
  COROLITH_DECL static segment_pool& of_process() noexcept;

  /// Until this is called there are none. Limits of several callers are not added up: the last counts.
  COROLITH_DECL void allow(const segment_limits& limits) noexcept;

  /// With room for `capacity` bytes at least; null when the limits or the system forbid it.
  COROLITH_DECL std::unique_ptr<memory_segment> take(std::size_t capacity) noexcept;
  /// Like memory_segment::grow, within the limits.
  COROLITH_DECL bool grow(memory_segment& segment, std::size_t capacity) noexcept;
  /// It is not used here any more; others may still look into it.
  COROLITH_DECL void put(std::unique_ptr<memory_segment> segment) noexcept;

  /// Gives back to the system what has not been used for `segment_limits::idle`. To be called now and then.
  COROLITH_DECL void give_back(std::chrono::steady_clock::time_point now) noexcept;
  /// Whether there is anything to be given back, now or later.
  bool keeps_any() const noexcept { return kept_count_.load(std::memory_order_relaxed) != 0; }

  /// Segments made here and not given back.
  COROLITH_DECL std::size_t count() const noexcept;

 private:
  struct kept_segment {
    std::unique_ptr<memory_segment> segment;
    std::chrono::steady_clock::time_point since;
  };
  using segments = std::vector<kept_segment>;

  COROLITH_DECL std::unique_ptr<memory_segment> take_kept(std::size_t capacity);
  COROLITH_DECL void drop(std::size_t index, segments& into);
  COROLITH_DECL bool make_room(std::uint64_t bytes, std::size_t count, segments& dropped);

  mutable std::mutex mutex_;
  segment_limits limits_;
  segments kept_;  // oldest first
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t kept_bytes_ = 0;
  std::atomic<std::size_t> kept_count_{0};
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/core/impl/segment_pool.ipp>
#endif
