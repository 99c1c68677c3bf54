// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

// Page faults are most of what the first touch of large memory costs. All of these are wishes: where one is refused, nothing changes.
namespace corolith {
inline namespace v0 {

/// From this size on it is worth a system call to have fewer page faults.
inline constexpr std::size_t many_pages_from = std::size_t{4} << 20;

namespace detail {
inline void advise_pages(void* memory, std::size_t size, int advice) noexcept {
  constexpr std::uintptr_t page = 4096;
  const auto from = reinterpret_cast<std::uintptr_t>(memory) & ~(page - 1);
  const auto to = (reinterpret_cast<std::uintptr_t>(memory) + size + page - 1) & ~(page - 1);
  ::madvise(reinterpret_cast<void*>(from), to - from, advice);
}
}  // namespace detail

/// To be called before a whole mapping is touched, so that the kernel keeps it in one piece and can still move it when it grows.
inline void prefer_huge_pages(void* memory, std::size_t size) noexcept {
  if (size >= many_pages_from) detail::advise_pages(memory, size, MADV_HUGEPAGE);
}

/// Has the pages of memory that is about to be written made at once. A piece of some 256 KiB after the other is best: it is then in the cache.
inline void make_pages(void* memory, std::size_t size) noexcept {
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, since Linux 5.14
  detail::advise_pages(memory, size, populate_write);
}

}  // namespace v0
}  // namespace corolith
