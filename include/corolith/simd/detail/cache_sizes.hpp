// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <string>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Bytes of the data caches that a core sees. The third level is what it shares with others.
struct cache_sizes {
  std::size_t first, second, third;
};

/// One level as the C library says, or else the kernel (on Arm only it knows), or else `otherwise`.
inline std::size_t cache_size(int name, const char* index, std::size_t otherwise) {
  const long said = ::sysconf(name);
  if (said > 0) return static_cast<std::size_t>(said);
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/" + std::string(index) + "/size");
  std::size_t kibibytes = 0;
  return file >> kibibytes && kibibytes > 0 ? kibibytes * 1024 : otherwise;
}

/// Those of this machine. Thread-safe.
inline const cache_sizes& caches() {
  static const cache_sizes sizes{cache_size(_SC_LEVEL1_DCACHE_SIZE, "index0", 32 * 1024),
                                 cache_size(_SC_LEVEL2_CACHE_SIZE, "index2", 512 * 1024),
                                 cache_size(_SC_LEVEL3_CACHE_SIZE, "index3", 8 * 1024 * 1024)};
  return sizes;
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
