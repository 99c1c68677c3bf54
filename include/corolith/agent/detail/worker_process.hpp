// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// What a worker is started with.
struct worker_command {
  std::string program;                   ///< its path, for people to read
  int file = -1;                         ///< what is executed, open for reading
  std::vector<std::string> environment;  ///< all of it: "NAME=value"
  std::vector<int> cpus;                 ///< to run on; empty: any
  int page = -1;  ///< the memory of its progress_page; -1: its slots are threads, and come by slot_mail
};

struct exit_state {
  int signal = 0;
  int exit_status = 0;
};

/// A worker process in its own process group, seen from its agent. Dies with the thread that started it (the agent's main
/// thread) even if that gets no chance to say so, and destroying this kills the group.
class worker_process {
 public:
  /// Starts `program --corolith-worker fd=3 page=4` or, where slots are threads, `program --corolith-worker slots=3`. Throws
  /// std::system_error when the system has no room for it; that the program cannot be executed shows as exit status 127 and a line on
  /// its standard error.
  COROLITH_DECL explicit worker_process(const worker_command& command);
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  COROLITH_DECL ~worker_process();

  pid_t pid() const noexcept { return pid_; }
  unique_fd socket;          ///< connection, or for slot_mail; whoever takes it out owns it
  unique_fd output, errors;  ///< reading ends of its standard output and error, non-blocking
  unique_fd exited;          ///< a pidfd or the like: readable when the process is gone

  /// SIGKILL for everything in its process group.
  COROLITH_DECL void kill_group() noexcept;
  /// After it exited: kills what is left of the group, removes the zombie, says how it ended. Waits if it has not exited.
  COROLITH_DECL exit_state reap() noexcept;

 private:
  pid_t pid_ = -1;  // -1 once reaped: the number may then be another's
  exit_state state_;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/worker_process.ipp>
#endif
