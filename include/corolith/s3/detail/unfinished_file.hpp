// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/io_loop.hpp>

#include <string>

namespace corolith::inline v0::s3::detail {

/// A file that is being made: it gets its name when it is complete, and is gone with its owner when it never is.
class unfinished_file {
 public:
  unfinished_file() noexcept = default;
  unfinished_file(unfinished_file&& other) noexcept = default;
  unfinished_file& operator=(unfinished_file&& other) noexcept = delete;
  COROLITH_DECL ~unfinished_file();

  /// Throws std::system_error.
  COROLITH_DECL static task<unfinished_file> create(uring::io_loop* on, std::string path);
  /// In the place of what has its name.
  COROLITH_DECL task<void> finish(uring::io_loop* on);
  int fd() const noexcept { return file_.get(); }

 private:
  unique_fd file_;
  std::string path_;
  std::string temporary_;  // empty: there is none any more
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/unfinished_file.ipp>
#endif
