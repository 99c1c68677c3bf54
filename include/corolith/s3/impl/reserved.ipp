// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/reserved.hpp>

#include <algorithm>

namespace corolith::inline v0::s3::detail {

inline share::share(client_core* of, semaphore::permit permit, std::size_t size) noexcept
    : core_(of), size_(size), permit_(std::move(permit)) {
  auto& counted = of->counted;
  const std::uint64_t now = counted.memory_in_use.fetch_add(size, std::memory_order_relaxed) + size;
  std::uint64_t peak = counted.memory_peak.load(std::memory_order_relaxed);
  while (peak < now && !counted.memory_peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

COROLITH_DECL task<share> reserve(client_core* core, std::size_t size) {
  size = std::min(size, core->options().memory_budget);
  semaphore::permit permit = co_await core->memory.acquire(size);
  co_return share(core, std::move(permit), size);
}

COROLITH_DECL std::optional<share> try_reserve(client_core* core, std::size_t size) {
  size = std::min(size, core->options().memory_budget);
  std::optional<semaphore::permit> permit = core->memory.try_acquire(size);
  if (!permit) return std::nullopt;
  return share(core, std::move(*permit), size);
}

COROLITH_DECL task<reserved_buffer> reserve_buffer(client_core* core, std::size_t size) {
  reserved_buffer made;
  made.of = co_await reserve(core, size);
  made.memory = core->buffers.take(size);
  co_return made;
}

COROLITH_DECL std::vector<std::byte> make_bytes(std::size_t size) {
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  advise_huge_pages(bytes.data(), size);
  bytes.resize(size);
  return bytes;
}

}  // namespace corolith::inline v0::s3::detail
