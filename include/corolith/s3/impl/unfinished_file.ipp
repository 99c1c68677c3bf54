// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/random_name.hpp>
#include <corolith/s3/detail/unfinished_file.hpp>
#include <corolith/uring/files.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace corolith::inline v0::s3::detail {

COROLITH_DECL unfinished_file::~unfinished_file() {
  if (file_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

COROLITH_DECL task<unfinished_file> unfinished_file::create(uring::io_loop* on, std::string path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
  std::string temporary = folder + ".corolith-unfinished-" + random_name();
  constexpr ::mode_t for_all = 0666;  // but for what the umask takes away
  unique_fd made = co_await uring::openat(*on, AT_FDCWD, temporary, O_RDWR | O_CREAT | O_EXCL, for_all);
  unfinished_file file;
  file.file_ = std::move(made);
  file.path_ = std::move(path);
  file.temporary_ = std::move(temporary);
  co_return file;
}

COROLITH_DECL task<void> unfinished_file::finish(uring::io_loop* on) {
  co_await uring::renameat(*on, AT_FDCWD, temporary_, AT_FDCWD, path_);
  temporary_.clear();
}

}  // namespace corolith::inline v0::s3::detail
