// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/machine.hpp>
#include <corolith/core/segment_pool.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

namespace corolith {
inline namespace v0 {

COROLITH_DECL segment_limits segment_limits::of_machine(std::size_t sharers) noexcept {
  constexpr std::uint64_t most_kept = std::uint64_t{4} << 30;
  constexpr std::size_t most_files = 128;
  sharers = std::max<std::size_t>(1, sharers);
  rlimit files{};
  std::size_t count = most_files;
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
    count = std::min<std::size_t>(count, static_cast<std::size_t>(files.rlim_cur) / 8);
  const std::uint64_t memory = physical_memory();
  segment_limits limits;
  limits.count = std::max<std::size_t>(1, count / sharers);
  limits.bytes = memory / 4;
  limits.kept = std::min(memory / 8 / sharers, most_kept);
  return limits;
}

namespace detail {

class pooled_segments final : public segment_source {
  static segment_pool& pool() noexcept { return segment_pool::of_process(); }
  memory_segment* take(std::size_t capacity) noexcept override { return pool().take(capacity).release(); }
  bool grow(memory_segment& segment, std::size_t capacity) noexcept override { return pool().grow(segment, capacity); }
  mutable_byte_span memory_of(memory_segment& segment) noexcept override {
    return {segment.data(), segment.capacity()};
  }
  shared_bytes share(memory_segment* segment, byte_span bytes) override {
    std::shared_ptr<const void> owner(bytes.data(), segment_owner{segment});
    return {std::move(owner), bytes};
  }
  void put(memory_segment* segment) noexcept override { pool().put(std::unique_ptr<memory_segment>(segment)); }
};
inline constinit pooled_segments pooled{};

}  // namespace detail

// Never destroyed: segments may end after everything else.
COROLITH_DECL segment_pool& segment_pool::of_process() noexcept {
  alignas(segment_pool) static std::byte place[sizeof(segment_pool)];
  static segment_pool* const pool = new (place) segment_pool;
  return *pool;
}

COROLITH_DECL void segment_pool::allow(const segment_limits& limits) noexcept {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
  detail::segments.store(&detail::pooled, std::memory_order_release);
}

COROLITH_DECL std::size_t segment_pool::count() const noexcept {
  const std::lock_guard lock(mutex_);
  return count_;
}

// The smallest that is large enough and not wasted on so little.
COROLITH_DECL std::unique_ptr<memory_segment> segment_pool::take_kept(std::size_t capacity) {
  std::size_t best = kept_.size();
  for (std::size_t i = kept_.size(); i-- > 0;) {
    const memory_segment& each = *kept_[i].segment;
    if (each.capacity() < capacity || each.capacity() / 2 > capacity || each.has_holders()) continue;
    if (best == kept_.size() || each.capacity() < kept_[best].segment->capacity()) best = i;
  }
  if (best == kept_.size()) return nullptr;
  std::unique_ptr<memory_segment> found = std::move(kept_[best].segment);
  kept_bytes_ -= found->capacity();
  kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(best));
  kept_count_.store(kept_.size(), std::memory_order_relaxed);
  return found;
}

COROLITH_DECL void segment_pool::drop(std::size_t index, segments& into) {
  const std::uint64_t size = kept_[index].segment->capacity();
  into.push_back(std::move(kept_[index]));
  kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(index));
  kept_bytes_ -= size;
  bytes_ -= size;
  --count_;
  kept_count_.store(kept_.size(), std::memory_order_relaxed);
}

// At the cost of what is kept. False when that would not help.
COROLITH_DECL bool segment_pool::make_room(std::uint64_t bytes, std::size_t count, segments& dropped) {
  if (bytes_ - kept_bytes_ + bytes > limits_.bytes || count_ - kept_.size() + count > limits_.count) return false;
  while (!kept_.empty() && (bytes_ + bytes > limits_.bytes || count_ + count > limits_.count)) drop(0, dropped);
  return true;
}

COROLITH_DECL std::unique_ptr<memory_segment> segment_pool::take(std::size_t capacity) noexcept try {
  segments dropped;  // unmapped without the lock
  {
    const std::lock_guard lock(mutex_);
    if (limits_.count == 0) return nullptr;
    if (auto found = take_kept(capacity)) return found;
    if (!make_room(capacity, 1, dropped)) return nullptr;
    ++count_;
    bytes_ += capacity;
  }
  dropped.clear();
  std::unique_ptr<memory_segment> made = memory_segment::make(capacity);
  const std::lock_guard lock(mutex_);
  bytes_ -= capacity;
  if (made != nullptr)
    bytes_ += made->capacity();
  else
    --count_;
  return made;
} catch (const std::bad_alloc&) {
  return nullptr;
}

COROLITH_DECL bool segment_pool::grow(memory_segment& segment, std::size_t capacity) noexcept try {
  const std::size_t before = segment.capacity();
  segments dropped;
  const std::lock_guard lock(mutex_);
  if (!make_room(capacity - before, 0, dropped) || !segment.grow(capacity)) return false;
  bytes_ += segment.capacity() - before;
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

COROLITH_DECL void segment_pool::put(std::unique_ptr<memory_segment> segment) noexcept {
  if (segment == nullptr || !segment->made_here()) return;
  const std::uint64_t size = segment->capacity();
  segments dropped;
  try {
    const std::lock_guard lock(mutex_);
    if (size <= limits_.kept) {
      dropped.reserve(kept_.size());
      kept_.push_back({nullptr, std::chrono::steady_clock::now()});
      kept_.back().segment = std::move(segment);
      kept_bytes_ += size;
      kept_count_.store(kept_.size(), std::memory_order_relaxed);
      while (kept_bytes_ > limits_.kept) drop(0, dropped);
      return;
    }
  } catch (const std::bad_alloc&) {
  }
  const std::lock_guard lock(mutex_);
  bytes_ -= size;
  --count_;
}

COROLITH_DECL void segment_pool::give_back(std::chrono::steady_clock::time_point now) noexcept try {
  if (!keeps_any()) return;
  segments dropped;
  const std::lock_guard lock(mutex_);
  while (!kept_.empty() && now - kept_.front().since >= limits_.idle) drop(0, dropped);
} catch (const std::bad_alloc&) {  // next time, then
}

}  // namespace v0
}  // namespace corolith
