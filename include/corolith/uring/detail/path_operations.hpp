// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/uring/detail/request.hpp>
#include <corolith/uring/detail/transfer.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// What operations without parts and without a value share.
struct plain_operation {
  using value = void;
  bool advance(request&, std::int32_t) const noexcept { return false; }
  void take(std::int32_t) const noexcept {}
  void dispose(std::int32_t) const noexcept {}
};

struct syncing : plain_operation {
  static constexpr const char* name = "fsync";
  int fd;
  bool data_only;

  syncing(int of, bool only_data) noexcept : fd(of), data_only(only_data) {}
  void fill(request& into) const noexcept {
    into.kind = op_kind::fsync;
    into.fd = fd;
    into.flags = data_only ? 1 : 0;
  }
};

// The descriptor is the kernel's from the moment that it may close it; one whose closing never began is closed here.
struct closing : plain_operation {
  static constexpr const char* name = "close";
  unique_fd fd;

  explicit closing(unique_fd of) noexcept : fd(std::move(of)) {}
  void fill(request& into) const noexcept {
    into.kind = op_kind::close;
    into.fd = fd.get();
  }
  void take(std::int32_t) noexcept { fd.release(); }
  void dispose(std::int32_t result) noexcept {
    if (result != -ECANCELED) fd.release();
  }
};

struct splicing {
  using value = std::size_t;
  static constexpr const char* name = "splice";
  int from = -1;
  std::uint64_t from_offset = 0;
  int to = -1;
  std::uint64_t to_offset = 0;
  std::size_t most = 0;
  unsigned flags = 0;

  void fill(request& into) const noexcept {
    into.kind = op_kind::splice;
    into.fd = from;
    into.offset = from_offset;
    into.other_fd = to;
    into.other_offset = to_offset;
    into.length = std::min(most, longest_call);
    into.flags = flags;
  }
  bool advance(request&, std::int32_t) const noexcept { return false; }
  std::size_t take(std::int32_t moved) const noexcept { return static_cast<std::size_t>(moved); }
  void dispose(std::int32_t) const noexcept {}
};

struct opening {
  using value = unique_fd;
  static constexpr const char* name = "openat";
  int folder = -1;
  std::string path;
  int flags = 0;
  ::mode_t mode = 0;

  void fill(request& into) const noexcept {
    into.kind = op_kind::openat;
    into.fd = folder;
    into.path = path.c_str();
    into.flags = static_cast<std::uint32_t>(flags | O_CLOEXEC);
    into.mode = mode;
  }
  bool advance(request&, std::int32_t) const noexcept { return false; }
  unique_fd take(std::int32_t opened) const noexcept { return unique_fd(opened); }
  void dispose(std::int32_t opened) const noexcept { unique_fd closed(opened); }
};

struct looking_up {
  using value = struct ::statx;
  static constexpr const char* name = "statx";
  int folder = -1;
  std::string path;
  int flags = 0;
  unsigned mask = 0;
  struct ::statx found = {};

  void fill(request& into) noexcept {
    into.kind = op_kind::statx;
    into.fd = folder;
    into.path = path.c_str();
    into.flags = static_cast<std::uint32_t>(flags);
    into.mode = mask;
    into.data = &found;
  }
  bool advance(request&, std::int32_t) const noexcept { return false; }
  struct ::statx take(std::int32_t) const noexcept { return found; }
  void dispose(std::int32_t) const noexcept {}
};

struct renaming : plain_operation {
  static constexpr const char* name = "renameat";
  int folder;
  std::string path;
  int to_folder;
  std::string to_path;
  unsigned flags;

  renaming(int in, std::string from, int to_in, std::string to, unsigned how)
      : folder(in), path(std::move(from)), to_folder(to_in), to_path(std::move(to)), flags(how) {}
  void fill(request& into) const noexcept {
    into.kind = op_kind::renameat;
    into.fd = folder;
    into.path = path.c_str();
    into.other_fd = to_folder;
    into.other_path = to_path.c_str();
    into.flags = flags;
  }
};

struct unlinking : plain_operation {
  static constexpr const char* name = "unlinkat";
  int folder;
  std::string path;
  int flags;

  unlinking(int in, std::string of, int how) : folder(in), path(std::move(of)), flags(how) {}
  void fill(request& into) const noexcept {
    into.kind = op_kind::unlinkat;
    into.fd = folder;
    into.path = path.c_str();
    into.flags = static_cast<std::uint32_t>(flags);
  }
};

struct making_folder : plain_operation {
  static constexpr const char* name = "mkdirat";
  int folder;
  std::string path;
  ::mode_t mode;

  making_folder(int in, std::string of, ::mode_t with) : folder(in), path(std::move(of)), mode(with) {}
  void fill(request& into) const noexcept {
    into.kind = op_kind::mkdirat;
    into.fd = folder;
    into.path = path.c_str();
    into.mode = mode;
  }
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
