// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/buffer_pool.hpp>

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace corolith::inline v0::s3::detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

COROLITH_DECL void advise_huge_pages(void* from, std::size_t size) noexcept {
  const auto begin = (reinterpret_cast<std::uintptr_t>(from) + huge_page - 1) / huge_page * huge_page;
  const auto end = (reinterpret_cast<std::uintptr_t>(from) + size) / huge_page * huge_page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

inline std::byte* map_memory(std::size_t size) {
  void* const made = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) throw std::bad_alloc();
  advise_huge_pages(made, size);
  return static_cast<std::byte*>(made);
}

COROLITH_DECL pooled_buffer::~pooled_buffer() {
  if (owner_ != nullptr) owner_->give_back(memory_);
}

COROLITH_DECL buffer_pool::~buffer_pool() {
  for (std::byte* memory : free_) ::munmap(memory, size_);
}

COROLITH_DECL pooled_buffer buffer_pool::take(std::size_t size) {
  if (size > size_) return {this, {map_memory(size), size}};
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      std::byte* const memory = free_.back();
      free_.pop_back();
      return {this, {memory, size_}};
    }
    free_.reserve(free_.capacity() + 1);  // so that nothing can fail when it comes back
  }
  return {this, {map_memory(size_), size_}};
}

inline void buffer_pool::give_back(mutable_byte_span memory) noexcept {
  if (memory.size() != size_) {
    ::munmap(memory.data(), memory.size());
    return;
  }
  std::lock_guard lock(mutex_);
  if (free_.size() < free_.capacity()) {
    free_.push_back(memory.data());
  } else {
    ::munmap(memory.data(), memory.size());
  }
}

}  // namespace corolith::inline v0::s3::detail
