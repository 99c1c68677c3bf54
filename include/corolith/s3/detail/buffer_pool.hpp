// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

class buffer_pool;

/// Memory out of a pool, to which it goes back.
class pooled_buffer {
 public:
  pooled_buffer() noexcept = default;
  pooled_buffer(buffer_pool* owner, mutable_byte_span memory) noexcept : owner_(owner), memory_(memory) {}
  pooled_buffer(pooled_buffer&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), memory_(std::exchange(other.memory_, {})) {}
  pooled_buffer& operator=(pooled_buffer&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  COROLITH_DECL ~pooled_buffer();

  mutable_byte_span span() const noexcept { return memory_; }

 private:
  buffer_pool* owner_ = nullptr;
  mutable_byte_span memory_;
};

/// Buffers of one size, on huge pages where the system has them. They are used again, the latest first, since touching fresh memory costs more
/// than receiving into it. Larger ones are made and unmade. Thread-safe.
class buffer_pool {
 public:
  explicit buffer_pool(std::size_t size) noexcept : size_(size) {}
  COROLITH_DECL ~buffer_pool();
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;

  /// At least that much. Throws std::bad_alloc.
  COROLITH_DECL pooled_buffer take(std::size_t size);

 private:
  friend class pooled_buffer;
  void give_back(mutable_byte_span memory) noexcept;

  const std::size_t size_;
  std::mutex mutex_;
  std::vector<std::byte*> free_;
};

/// Asks for huge pages where the range has any whole ones. It is only advice.
COROLITH_DECL void advise_huge_pages(void* from, std::size_t size) noexcept;

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/buffer_pool.ipp>
#endif
