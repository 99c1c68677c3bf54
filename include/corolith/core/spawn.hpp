// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace process {

/// What a new process stands apart in: a group takes it out of the terminal's Ctrl-C, a session also out of its hang-up.
enum class apart : short { group = POSIX_SPAWN_SETPGROUP, session = POSIX_SPAWN_SETSID };

/// Starts `program` (a path, or a name on PATH) with `words` as its arguments, `words[0]` included. It holds nothing of this
/// process but the environment: `standard` become its descriptors 0 to 2, all signals are as in a fresh one. 0, or the reason as errno.
inline int spawn(pid_t& pid, const char* program, std::vector<std::string> words, const std::array<int, 3>& standard,
                 apart from) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  std::array<int, 3> moved{};  // out of the way: one of them may have a number that another is to get
  int failure = 0;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    moved[i] = ::fcntl(standard[i], F_DUPFD_CLOEXEC, 3);
    if (moved[i] < 0) failure = errno;
    posix_spawn_file_actions_adddup2(&actions, moved[i], static_cast<int>(i));
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
      &attributes, static_cast<short>(static_cast<short>(from) | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  if (failure == 0) failure = ::posix_spawnp(&pid, program, &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  for (const int fd : moved)
    if (fd >= 0) ::close(fd);
  if (failure != 0) pid = 0;
  return failure;
}

}  // namespace process
}  // namespace v0
}  // namespace corolith
