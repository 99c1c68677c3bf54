// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace corolith::inline v0::storage::detail {

/// Files below one folder, whatever links there are: nothing outside of it is opened, made, renamed or removed. Functions block, and throw
/// store_error with the reason and the key. `path` is a key, checked by `check_path_key`. Thread-safe.
class directory {
 public:
  /// `closed`: when it has to be made, nobody else may look into it.
  explicit directory(std::string folder, bool closed = false) : folder_(std::move(folder)), closed_(closed) {}
  const std::string& folder() const noexcept { return folder_; }

  /// O_RDONLY and the like; errc::not_found when it is not there.
  COROLITH_DECL unique_fd open(const std::string& path, int flags) const;
  /// The folder of `path`, for the *at functions, made with the folders above it when `make` is set.
  COROLITH_DECL unique_fd open_parent(const std::string& path, bool make) const;
  /// The folder itself.
  COROLITH_DECL unique_fd open_root() const;
  /// Like `open`, but gives nothing, and errno, where that throws.
  COROLITH_DECL unique_fd try_open(int root, const std::string& path, int flags) const noexcept;

 private:
  COROLITH_DECL unique_fd make_folders(int root, const std::string& path) const;

  std::string folder_;
  bool closed_;
};

/// "a/b/c": "c". And "a/b", empty where there is none.
inline std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
inline std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// Throws the store_error for an errno that came of `act` ("open", "rename") on the object.
[[noreturn]] COROLITH_DECL void fail_file(int problem, std::string_view act, const std::string& key);

}  // namespace corolith::inline v0::storage::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/directory.ipp>
#endif
