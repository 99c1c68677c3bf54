// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace corolith {
inline namespace v0 {

/// From this size on it is worth a system call to have fewer page faults.
inline constexpr std::size_t huge_pages_from = std::size_t{4} << 20;

/// To be called before memory of this size is touched: page faults are most of what the first touch costs. A wish: where it is refused, nothing
/// changes.
inline void prefer_huge_pages(void* memory, std::size_t size) noexcept {
  if (size < huge_pages_from) return;
  constexpr std::uintptr_t page = 4096;
  // All of the mapping, so that the kernel keeps it in one piece and can still move it when it grows.
  const auto from = reinterpret_cast<std::uintptr_t>(memory) & ~(page - 1);
  const auto to = (reinterpret_cast<std::uintptr_t>(memory) + size + page - 1) & ~(page - 1);
  ::madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
}

}  // namespace v0
}  // namespace corolith
