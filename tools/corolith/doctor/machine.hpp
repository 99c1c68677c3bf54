// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "finding.hpp"

#include <corolith/core/machine.hpp>

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

/// What this machine and the limits of this shell allow.
namespace tool::doctor {

inline void check_io_uring(report& into) {
  const char* chosen = std::getenv("COROLITH_IO");
  if (chosen != nullptr && std::string(chosen) == "poll")
    return into.warning("io_uring", "COROLITH_IO=poll turns it off", "unset COROLITH_IO");
  alignas(8) std::array<std::byte, 256> parameters{};  // the kernel's header and that of liburing do not go together
  const long ring = ::syscall(SYS_io_uring_setup, 8, parameters.data());
  if (ring >= 0) {
    ::close(static_cast<int>(ring));
    return into.good("io_uring", "the kernel gives it");
  }
  const int reason = errno;
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
  const std::string cure = disabled != 0 ? "sysctl kernel.io_uring_disabled=0, or membership in kernel.io_uring_group"
                           : reason == ENOSYS
                               ? "a kernel of 5.6 or later"
                               : "a container's seccomp profile, or an administrator, may allow io_uring_setup";
  into.warning("io_uring",
               fmt::format("the kernel refuses it ({}): files and S3 go through epoll and threads, which is slower",
                           std::strerror(reason)),
               cure);
}

inline std::string limit_text(rlim_t value) { return value == RLIM_INFINITY ? "unlimited" : fmt::format("{}", value); }

inline void check_memlock(report& into) {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (1U << 20U))
    return into.good("memlock", limit.rlim_cur == RLIM_INFINITY
                                    ? std::string("unlimited")
                                    : fmt::format("{} KiB of memory may be locked", limit.rlim_cur >> 10U));
  into.warning(
      "memlock",
      fmt::format("only {} KiB of memory may be locked: kernels before 5.12 count the rings of io_uring against it, "
                  "and give none",
                  limit.rlim_cur >> 10U),
      "ulimit -l unlimited, or a line for memlock in /etc/security/limits.conf");
}

/// The driver needs a descriptor an agent; an agent needs four a worker.
inline void check_descriptors(report& into, const corolith::options& how) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t slots = how.slots != 0 ? how.slots : std::max<std::size_t>(1, corolith::usable_cpus().size());
  const rlim_t needed = 128 + 2 * std::max<rlim_t>(1, how.agents) + 8 * slots;
  if (limit.rlim_cur >= needed)
    return into.good("descriptors", fmt::format("a process may have {} files open", limit_text(limit.rlim_cur)));
  into.problem("descriptors",
               fmt::format("a process may have {} files open, and such a run needs about {}", limit.rlim_cur, needed),
               fmt::format("ulimit -n {}{}", std::max<rlim_t>(4096, needed),
                           limit.rlim_max < needed ? " by an administrator: the hard limit is lower" : ""));
}

inline void check_processes(report& into, const corolith::options& how) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NPROC, &limit);
  const rlim_t slots = how.slots != 0 ? how.slots : std::max<std::size_t>(1, corolith::usable_cpus().size());
  const rlim_t needed = 64 + 4 * slots;
  if (limit.rlim_cur >= needed)
    return into.good("processes", fmt::format("{} processes and threads are allowed", limit_text(limit.rlim_cur)));
  into.problem(
      "processes",
      fmt::format("{} processes and threads are allowed, and {} slots need about {}", limit.rlim_cur, slots, needed),
      fmt::format("ulimit -u {}", std::max<rlim_t>(4096, needed)));
}

inline void check_machine(report& into, const corolith::options& how) {
  check_io_uring(into);
  check_memlock(into);
  check_descriptors(into, how);
  check_processes(into, how);
}

}  // namespace tool::doctor
