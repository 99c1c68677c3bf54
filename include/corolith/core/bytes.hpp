// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {

using byte_span = std::span<const std::byte>;
using mutable_byte_span = std::span<std::byte>;

/// An immutable run of bytes with shared ownership: copying shares, `slice` shares a part. Safe to read from many threads.
class shared_bytes {
 public:
  shared_bytes() noexcept = default;
  shared_bytes(std::shared_ptr<const void> owner, byte_span bytes) noexcept : owner_(std::move(owner)), bytes_(bytes) {}

  const std::byte* data() const noexcept { return bytes_.data(); }
  std::size_t size() const noexcept { return bytes_.size(); }
  bool empty() const noexcept { return bytes_.empty(); }
  byte_span span() const noexcept { return bytes_; }
  operator byte_span() const noexcept { return bytes_; }

  /// `count` bytes from `offset` on; both are clamped to what is there.
  shared_bytes slice(std::size_t offset, std::size_t count = static_cast<std::size_t>(-1)) const& {
    return shared_bytes(*this).slice(offset, count);
  }
  shared_bytes slice(std::size_t offset, std::size_t count = static_cast<std::size_t>(-1)) && {
    offset = std::min(offset, size());
    return {std::move(owner_), bytes_.subspan(offset, std::min(count, size() - offset))};
  }

  static shared_bytes copy(byte_span bytes);

  /// What keeps the bytes alive.
  const std::shared_ptr<const void>& owner() const noexcept { return owner_; }

 private:
  std::shared_ptr<const void> owner_;
  byte_span bytes_;
};

class memory_segment;

namespace detail {

/// Where buffers get memory that other processes can look into: the segment_pool, once it allows any.
class segment_source {
 public:
  virtual memory_segment* take(std::size_t capacity) noexcept = 0;  ///< null: there is none
  virtual bool grow(memory_segment& segment, std::size_t capacity) noexcept = 0;
  virtual mutable_byte_span memory_of(memory_segment& segment) noexcept = 0;
  virtual shared_bytes share(memory_segment* segment, byte_span bytes) = 0;  ///< owns the segment
  virtual void put(memory_segment* segment) noexcept = 0;

 protected:
  ~segment_source() = default;
};
inline constinit std::atomic<segment_source*> segments{nullptr};

}  // namespace detail

/// A growable byte array that never initialises what it is about to overwrite and grows by realloc, which moves pages, not
/// bytes, when it is large. `std::vector<std::byte>` does neither.
class byte_buffer {
 public:
  byte_buffer() noexcept = default;
  explicit byte_buffer(std::size_t capacity) { reserve(capacity); }
  byte_buffer(byte_buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        segment_(std::exchange(other.segment_, nullptr)),
        shareable_(other.shareable_) {}
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    if (this != &other) {
      free_memory();
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
      segment_ = std::exchange(other.segment_, nullptr);
      shareable_ = other.shareable_;
    }
    return *this;
  }
  byte_buffer(const byte_buffer&) = delete;
  byte_buffer& operator=(const byte_buffer&) = delete;
  ~byte_buffer() { free_memory(); }

  /// From now on, as soon as the bytes are many, they lie in a memory_segment, where this process has one to give: they are
  /// meant for a process that may be on this machine.
  void share_when_large() noexcept { shareable_ = true; }
  /// Whether they do.
  bool in_segment() const noexcept { return segment_ != nullptr; }

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return size_ == 0; }
  byte_span span() const noexcept { return {data_, size_}; }

  void clear() noexcept { size_ = 0; }
  /// Makes the size smaller; a larger one is ignored.
  void truncate(std::size_t size) noexcept { size_ = std::min(size_, size); }

  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    if (shareable_ && capacity >= least_shared && reserve_shared(capacity)) return;
    void* grown = std::realloc(data_, capacity);
    if (grown == nullptr) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(grown);
    capacity_ = capacity;
  }

  /// Makes room for `count` more bytes, counts them as present and returns where to write them.
  std::byte* extend(std::size_t count) {
    if (count > capacity_ - size_) reserve(std::max(size_ + count, capacity_ + capacity_ / 2 + 64));
    std::byte* place = data_ + size_;
    size_ += count;
    return place;
  }

  void append(byte_span bytes) {
    if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void append_value(const T& value) {
    std::memcpy(extend(sizeof(T)), &value, sizeof(T));
  }

  /// Hands the bytes over to shared ownership without a copy; the buffer is empty afterwards.
  shared_bytes release() {
    if (size_ == 0) return {};
    const byte_span bytes{std::exchange(data_, nullptr), std::exchange(size_, 0)};
    capacity_ = 0;
    if (segment_ != nullptr) return source().share(std::exchange(segment_, nullptr), bytes);
    // Should the shared_ptr fail to allocate, it frees the bytes itself.
    std::shared_ptr<const void> owner(bytes.data(), [](const void* data) { std::free(const_cast<void*>(data)); });
    return {std::move(owner), bytes};
  }

  /// Fewer bytes than this are quicker copied than shared.
  static constexpr std::size_t least_shared = std::size_t{1} << 20;

 private:
  static detail::segment_source& source() noexcept { return *detail::segments.load(std::memory_order_acquire); }
  void free_memory() noexcept {
    if (segment_ != nullptr)
      source().put(segment_);
    else
      std::free(data_);
  }
  void move_to(memory_segment& segment) noexcept {
    const mutable_byte_span memory = source().memory_of(segment);
    data_ = memory.data();
    capacity_ = memory.size();
    segment_ = &segment;
  }
  // False: there is no segment to be had, and nothing has changed.
  bool reserve_shared(std::size_t capacity) {
    if (segment_ != nullptr) {
      if (source().grow(*segment_, capacity)) {
        move_to(*segment_);
      } else {
        byte_buffer plain(capacity);
        plain.append(span());
        *this = std::move(plain);
      }
      return true;
    }
    detail::segment_source* const from = detail::segments.load(std::memory_order_acquire);
    memory_segment* const segment = from != nullptr ? from->take(capacity) : nullptr;
    if (segment == nullptr) return false;
    std::byte* const before = data_;
    move_to(*segment);
    if (size_ != 0) std::memcpy(data_, before, size_);
    std::free(before);
    return true;
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  memory_segment* segment_ = nullptr;  // owned; data_ is in it
  bool shareable_ = false;
};

inline shared_bytes shared_bytes::copy(byte_span bytes) {
  byte_buffer buffer(bytes.size());
  buffer.append(bytes);
  return buffer.release();
}

/// The bytes of a trivially copyable object.
template <class T>
  requires std::is_trivially_copyable_v<T>
byte_span bytes_of(const T& value) noexcept {
  return std::as_bytes(std::span<const T, 1>(&value, 1));
}

}  // namespace v0
}  // namespace corolith
