// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <vector>

namespace bench {

/// Memory for which the kernel is asked for huge pages, as numpy asks for its arrays: a matrix of many pages is else limited by the
/// translation of its addresses, whoever multiplies it.
template <class T>
struct huge_page_allocator {
  using value_type = T;

  huge_page_allocator() = default;
  template <class U>
  huge_page_allocator(const huge_page_allocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    void* const memory = ::operator new(bytes(count), alignment(count));
    if (large(count)) ::madvise(memory, bytes(count), MADV_HUGEPAGE);  // where there are none, small ones do
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept { ::operator delete(memory, bytes(count), alignment(count)); }

  friend bool operator==(const huge_page_allocator&, const huge_page_allocator&) noexcept { return true; }

 private:
  static constexpr std::size_t huge_page = std::size_t{2} << 20U;

  static constexpr std::size_t bytes(std::size_t count) noexcept { return count * sizeof(T); }
  static constexpr bool large(std::size_t count) noexcept { return bytes(count) >= 2 * huge_page; }
  static constexpr std::align_val_t alignment(std::size_t count) noexcept {
    return std::align_val_t{large(count) ? huge_page
                                         : 64};  // all at one offset, small ones would share the sets of a cache
  }
};

template <class T>
using huge_page_vector = std::vector<T, huge_page_allocator<T>>;

}  // namespace bench
