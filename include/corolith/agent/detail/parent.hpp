// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/options.hpp>
#include <corolith/core/version.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// Whether the driver that started this agent is gone; false for an agent that was started by somebody else.
inline bool parent_is_gone(const agent_options& options) noexcept {
  return options.parent_pid != 0 && ::getppid() != options.parent_pid;
}

/// Removes what a dead driver left. Only after the driver: as long as it lives the folder is its own to remove. A
/// process that is being killed closes its sockets a little before it is gone.
inline void clear_session_folder(const agent_options& options) noexcept {
  if (options.session_folder.empty() || options.parent_pid == 0) return;
  for (int waited = 0; !parent_is_gone(options) && waited < 100; ++waited)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  struct stat info{};
  if (!parent_is_gone(options) || ::lstat(options.session_folder.c_str(), &info) != 0) return;
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077U) != 0) return;
  std::error_code ignored;
  std::filesystem::remove_all(options.session_folder, ignored);
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
