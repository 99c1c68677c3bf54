// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <sys/types.h>

#include <string>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

/// A small process that outlives a driver that is killed, and does what that can do no more: cancel its jobs, known or just being
/// submitted, by their name, and remove its session folder.
class slurm_guard {
 public:
  /// Throws launch_failed.
  COROLITH_DECL slurm_guard(const std::string& job_name, const std::string& session_folder);
  slurm_guard(const slurm_guard&) = delete;
  slurm_guard& operator=(const slurm_guard&) = delete;
  /// An orderly end: there is nothing left to do for the guard.
  COROLITH_DECL ~slurm_guard();
  /// The driver could not cancel its jobs: the guard shall, and goes on trying for some minutes.
  COROLITH_DECL void take_over() noexcept;

 private:
  pid_t pid_ = 0;
  int pipe_ = -1;  // the guard reads its other end
};

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/slurm_guard.ipp>
#endif
