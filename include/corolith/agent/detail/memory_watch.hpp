// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// Sanitizers reserve terabytes of address space: there a limit on it would end every process.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool limits_address_space = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool limits_address_space = false;
#else
inline constexpr bool limits_address_space = true;
#endif
#else
inline constexpr bool limits_address_space = true;
#endif

/// What a process holds, in bytes; zeros when it cannot be read.
struct memory_use {
  std::uint64_t resident = 0;  ///< pages in memory, shared ones included
  std::uint64_t data = 0;      ///< private writable address space: what RLIMIT_DATA counts

  static memory_use of(pid_t pid) noexcept {
    std::array<char, 48> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/statm", static_cast<int>(pid));
    memory_use use;
    const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return use;
    std::array<char, 256> text{};
    const ssize_t got = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    unsigned long long resident = 0, data = 0;
    if (got > 0 && std::sscanf(text.data(), "%*u %llu %*u %*u %*u %llu", &resident, &data) == 2) {
      const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
      use = {resident * page, data * page};
    }
    return use;
  }
};

/// The limit that a worker puts on its own allocations: past it operator new throws, where the function can see it.
class memory_limit {
 public:
  /// This many bytes more than the process has now; 0 lifts the limit.
  void set(std::uint64_t bytes) noexcept {
    if (bytes == bytes_ || !limits_address_space) return;
    rlimit limit{};
    if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
    if (bytes_ == 0) original_ = limit.rlim_cur;
    limit.rlim_cur = bytes == 0 ? original_ : memory_use::of(::getpid()).data + bytes;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_DATA, &limit) == 0) bytes_ = bytes;
  }
  bool active() const noexcept { return bytes_ != 0; }

 private:
  std::uint64_t bytes_ = 0;
  rlim_t original_ = RLIM_INFINITY;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
