// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/storage/detail/directory.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/error.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace corolith::inline v0::storage::detail {

COROLITH_DECL void fail_file(int problem, std::string_view act, const std::string& key) {
  const auto fail = [&](errc code, const std::string& why) {
    throw store_error(code, "cannot " + std::string(act) + " the object '" + key + "': " + why, key);
  };
  switch (problem) {
    case ENOENT: fail(errc::not_found, "there is none"); break;
    case ENOTDIR: fail(errc::not_found, "an object is in the place of one of its folders"); break;
    case EISDIR: fail(errc::not_found, "it is a folder of other objects"); break;
    case EXDEV:
      fail(errc::access_denied, "a symbolic link leads out of the store; open a store where it leads to");
      break;
    case EACCES:
    case EPERM:
    case EROFS: fail(errc::access_denied, std::strerror(problem)); break;
    case ENAMETOOLONG: fail(errc::misuse, "its path is longer than this file system takes"); break;
    default: fail(errc::storage, std::strerror(problem));
  }
  throw store_error(errc::storage, "unknown", key);
}

/// Where an open descriptor leads to; empty when it cannot be told.
inline std::string path_of(int fd) {
  char target[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  return size <= 0 || size == sizeof target ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

/// For kernels without openat2: finds the file without touching it, looks where it is, and opens what was found.
inline unique_fd open_and_compare(int root, const std::string& path, int flags) {
  unique_fd found(::openat(root, path.c_str(), O_PATH | O_CLOEXEC));
  if (!found) return found;
  const std::string base = path_of(root), place = path_of(found.get());
  if (base.empty() || !(place == base || place.starts_with(base + "/"))) {
    errno = EXDEV;
    return {};
  }
  if ((flags & O_PATH) != 0) return found;
  return unique_fd(::open(("/proc/self/fd/" + std::to_string(found.get())).c_str(), flags | O_CLOEXEC));
}

COROLITH_DECL unique_fd directory::try_open(int root, const std::string& path, int flags) const noexcept {
  ::open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) return unique_fd(static_cast<int>(fd));
    if (errno == ENOSYS || errno == EPERM) break;
    if (errno != EAGAIN && errno != EINTR) return {};  // EAGAIN: something was renamed meanwhile
  }
  try {
    return open_and_compare(root, path, flags);
  } catch (...) {
    errno = ENOMEM;
    return {};
  }
}

COROLITH_DECL unique_fd directory::open_root() const {
  unique_fd root(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root) return root;
  const errc code = errno == ENOENT                     ? errc::not_found
                    : errno == EACCES || errno == EPERM ? errc::access_denied
                                                        : errc::storage;
  throw store_error(code, "cannot open the directory " + folder_ + " of the store: " + std::strerror(errno), {});
}

COROLITH_DECL unique_fd directory::open(const std::string& path, int flags) const {
  unique_fd root(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) fail_file(errno, "open", path);
  unique_fd file = try_open(root.get(), path, flags);
  if (!file) fail_file(errno, "open", path);
  return file;
}

inline void make_root(const std::string& folder, mode_t mode) {
  if (::mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return;
  if (errno == ENOENT && folder.rfind('/') > 0) {
    make_root(folder.substr(0, folder.rfind('/')), mode);
    if (::mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return;
  }
  throw store_error(errno == EACCES || errno == EPERM || errno == EROFS ? errc::access_denied : errc::storage,
                    "cannot make the directory " + folder + " of the store: " + std::strerror(errno), {});
}

COROLITH_DECL unique_fd directory::make_folders(int root, const std::string& path) const {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    unique_fd found = try_open(root, folder, O_PATH | O_DIRECTORY);
    if (!found && errno == ENOENT) {
      const unique_fd above = try_open(root, parent_of(folder).empty() ? "." : parent_of(folder), O_PATH | O_DIRECTORY);
      // What a run keeps here for itself is not for others, whatever the umask.
      const mode_t mode = folder == ".corolith" || folder.starts_with(reserved_prefix) ? 0700 : 0777;
      if (above && ::mkdirat(above.get(), name_of(folder).c_str(), mode) != 0 && errno != EEXIST) return {};
      found = try_open(root, folder, O_PATH | O_DIRECTORY);
    }
    if (!found || end == std::string::npos) return found;
  }
}

COROLITH_DECL unique_fd directory::open_parent(const std::string& path, bool make) const {
  unique_fd root(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root && errno == ENOENT && make) {
    make_root(folder_, closed_ ? 0700 : 0777);
    root = open_root();
  }
  if (!root && make) root = open_root();  // which says why not
  if (!root) fail_file(errno, "open", path);
  const std::string parent = parent_of(path);
  if (parent.empty()) return root;
  unique_fd found = try_open(root.get(), parent, O_PATH | O_DIRECTORY);
  if (!found && errno == ENOENT && make) found = make_folders(root.get(), parent);
  if (found) return found;
  if (make && errno == ENOTDIR)
    throw store_error(
        errc::storage,
        "cannot write the object '" + path +
            "': an object is in the place of one of its folders; in a directory store a key cannot be both",
        path);
  fail_file(errno, make ? "write" : "open", path);
}

}  // namespace corolith::inline v0::storage::detail
