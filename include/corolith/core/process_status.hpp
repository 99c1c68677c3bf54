// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <sys/wait.h>

#include <cstring>
#include <string>

namespace corolith {
inline namespace v0 {

/// "signal 9 (SIGKILL)".
inline std::string describe_signal(int number) {
  const char* name = ::sigabbrev_np(number);
  return "signal " + std::to_string(number) + " (SIG" + (name != nullptr ? name : "?") + ")";
}

/// How a process ended, from what waitpid says: "exit status 3", "killed by signal 9 (SIGKILL)".
inline std::string describe_wait_status(int status) {
  if (WIFSIGNALED(status)) return "killed by " + describe_signal(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace v0
}  // namespace corolith
