// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// What the kernel sends when the parent is gone. A signal that can be caught, so that the process can take those with it
/// that it started itself; before a handler is there its default is to end the process.
inline int parent_death_signal() noexcept { return SIGRTMAX - 2; }

/// Ends this process and everything in its process group, if it leads one.
[[noreturn]] inline void kill_own_group() noexcept {
  if (::getpgrp() == ::getpid()) ::kill(0, SIGKILL);
  ::_exit(SIGKILL + 128);
}

enum class parent_death { kill_group };

/// From now on the end of the parent is the end of this process group.
inline void die_with_parent(parent_death) noexcept {
  struct sigaction action{};
  action.sa_handler = [](int) { kill_own_group(); };
  sigemptyset(&action.sa_mask);
  ::sigaction(parent_death_signal(), &action, nullptr);
  sigset_t unblocked;
  sigemptyset(&unblocked);
  sigaddset(&unblocked, parent_death_signal());
  ::sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);
  ::prctl(PR_SET_PDEATHSIG, parent_death_signal());
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
