// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/network.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace uring_test {

struct two_ends {
  corolith::unique_fd a, b;
};

inline two_ends socket_pair(int flags = 0) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, ends.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  return {corolith::unique_fd(ends[0]), corolith::unique_fd(ends[1])};
}

inline two_ends pipe_ends() {  // a reads, b writes
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  return {corolith::unique_fd(ends[0]), corolith::unique_fd(ends[1])};
}

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
inline std::span<std::byte> room_in(std::string& text) { return std::as_writable_bytes(std::span(text)); }

/// Bytes that tell where they belong.
inline std::vector<std::byte> pattern(std::size_t size, std::uint32_t seed = 1) {
  std::vector<std::byte> made(size);
  for (std::byte& each : made) {
    seed = seed * 1664525U + 1013904223U;
    each = static_cast<std::byte>(seed >> 24);
  }
  return made;
}

/// A folder of its own, gone at the end.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "corolith-uring-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = name;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// How many descriptors this process has.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace uring_test
