// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {

/// A small process, a shell, that outlives this one when it is killed, and then tidies up after it.
class guard {
 public:
  /// What the shell is to run then; `arguments` are its $1, $2 and so on. Throws launch_failed.
  COROLITH_DECL guard(const std::string& script, const std::vector<std::string>& arguments);
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;
  /// An orderly end: there is nothing left to do for the guard.
  COROLITH_DECL ~guard();
  /// Has the script run now, although this process lives. Does not wait for it.
  COROLITH_DECL void take_over() noexcept;

 private:
  pid_t pid_ = 0;
  int pipe_ = -1;  // the guard reads its other end
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/guard.ipp>
#endif
