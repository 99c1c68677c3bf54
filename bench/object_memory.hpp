// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

/// What benchmarks of object stores share.
namespace bench {

/// Where an object lies in memory: on huge pages where there are any, and touched, since the first touch of a page costs more than
/// what is measured here.
class object_memory {
 public:
  explicit object_memory(std::size_t size)
      : size_(size), bytes_(static_cast<std::byte*>(std::aligned_alloc(page, (size + page) / page * page))) {
    if (!bytes_) throw std::bad_alloc();
    ::madvise(bytes_.get(), (size + page) / page * page, MADV_HUGEPAGE);
    std::memset(bytes_.get(), 0, size);
  }
  std::byte* data() const { return bytes_.get(); }
  std::span<std::byte> span() const { return {data(), size_}; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t page = std::size_t{2} << 20U;
  struct release {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, release> bytes_;
};

/// Bytes that nothing can compress; the same for the same seed.
inline void fill(std::span<std::byte> bytes, std::uint64_t seed) {
  std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
  const auto next = [&state] {  // splitmix64
    std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  };
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t value = next();
    std::memcpy(bytes.data() + at, &value, std::min(sizeof value, bytes.size() - at));
  }
}

inline double processor_seconds(const rusage& of) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(of.ru_utime) + seconds(of.ru_stime);
}

}  // namespace bench
