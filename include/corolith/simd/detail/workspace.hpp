// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Memory for intermediate results that is kept from one use to the next: the first touch of a page costs as much as
/// hundreds of products. On huge pages where the system gives them.
class workspace {
 public:
  workspace() = default;
  workspace(workspace&& other) noexcept
      : mapped_(std::exchange(other.mapped_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  workspace& operator=(workspace&& other) noexcept {
    std::swap(mapped_, other.mapped_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~workspace() { release(); }

  /// At least `bytes`, aligned to a huge page. What it held before is gone. Throws std::bad_alloc.
  void* reserve(std::size_t bytes) {
    if (bytes > usable()) {
      release();
      const std::size_t size = (bytes + 2 * huge_page - 1) / huge_page * huge_page;
      void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapped == MAP_FAILED) throw std::bad_alloc();
      mapped_ = static_cast<std::byte*>(mapped);
      size_ = size;
      ::madvise(mapped_, size_, MADV_HUGEPAGE);
    }
    return mapped_ == nullptr ? nullptr : mapped_ + to_boundary();
  }

 private:
  static constexpr std::size_t huge_page = std::size_t{2} << 20U;

  std::size_t to_boundary() const noexcept {
    return (huge_page - reinterpret_cast<std::size_t>(mapped_) % huge_page) % huge_page;
  }
  std::size_t usable() const noexcept { return size_ - (size_ == 0 ? 0 : to_boundary()); }
  void release() noexcept {
    if (mapped_ != nullptr) ::munmap(mapped_, size_);
    mapped_ = nullptr;
    size_ = 0;
  }

  std::byte* mapped_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
