// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../bare_process.hpp"
#include "data.hpp"
#include "job.hpp"

#include <corolith/core/machine.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

/// The same files without corolith: as many processes that open, write or read, and close.
namespace bench::storage {

inline constexpr std::string_view bare_loop_flag = "--bare-loop";

namespace detail {

constexpr std::size_t piece = std::size_t{8} << 20U;  // larger ones were no faster

inline int opened(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), path);
  return fd;
}

/// To another name first, as whoever reads at the same time would want it.
inline void bare_write(const std::string& path, std::span<const std::byte> bytes) {
  const std::string other = path + ".part";
  const int fd = opened(other, O_WRONLY | O_CREAT | O_TRUNC);
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), std::min(piece, bytes.size()));
    if (wrote <= 0) throw std::system_error(errno, std::generic_category(), path);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  ::close(fd);
  if (::rename(other.c_str(), path.c_str()) != 0) throw std::system_error(errno, std::generic_category(), path);
}

inline void bare_read(const std::string& path, std::span<std::byte> into) {
  const int fd = opened(path, O_RDONLY);
  while (!into.empty()) {
    const ssize_t got = ::read(fd, into.data(), std::min(piece, into.size()));
    if (got <= 0) throw std::runtime_error(path + " is shorter than it was");
    into = into.subspan(static_cast<std::size_t>(got));
  }
  ::close(fd);
}

}  // namespace detail

/// FOLDER BYTES READ_TIMES CHECKSUM, and then lines "w FIRST COUNT" or "r FIRST COUNT".
inline int serve_bare_loop(char** arguments) {
  const std::string folder = arguments[0];
  job what;
  what.bytes = std::stoull(arguments[1]);
  what.read_times = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  what.sum = static_cast<checksum>(std::stoul(arguments[3]));
  source_memory(what.bytes);
  target_memory(what.bytes);
  return serve_bare_process([&](const char* line) {
    char verb = 0;
    unsigned first = 0, count = 0;
    if (std::sscanf(line, "%c %u %u", &verb, &first, &count) != 3) throw std::runtime_error("no such work");
    for (std::uint32_t i = first; i < first + count; ++i) {
      const std::string path = folder + "/" + std::to_string(i);
      if (verb == 'w') {
        const std::span<const std::byte> bytes = object(i, what.bytes);
        detail::bare_write(path, bytes);
        checksum_of(bytes, what.sum);  // which calls compute, too
        continue;
      }
      for (std::uint32_t repeat = 0; repeat < what.read_times; ++repeat) {
        detail::bare_read(path, target_memory(what.bytes).span());
        checksum_of(target_memory(what.bytes).span(), what.sum);
      }
    }
  });
}

class bare_loops {
 public:
  bare_loops(std::size_t count, const std::string& folder, const job& what)
      : processes_(count,
                   {std::string(bare_loop_flag), folder, std::to_string(what.bytes), std::to_string(what.read_times),
                    std::to_string(static_cast<unsigned>(what.sum))},
                   corolith::usable_cpus()) {}

  /// Seconds until the last process was done.
  double run(phase what, std::size_t objects) {
    const char* verb = what == phase::write ? "w" : "r";
    return processes_
        .run(objects,
             [&](std::size_t first, std::size_t number) { return fmt::format("{} {} {}", verb, first, number); })
        .wall_s;
  }

 private:
  bare_processes processes_;
};

}  // namespace bench::storage
