// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/progress_page.hpp>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>

/// Where slots are threads: which of them brought the process down.
namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline constinit thread_local progress_page* thread_page = nullptr;
inline std::array<struct sigaction, NSIG> actions_before{};

inline void note_crash(int number, siginfo_t* info, void*) noexcept {
  if (thread_page != nullptr) thread_page->crash();
  ::sigaction(number, &actions_before[static_cast<std::size_t>(number)], nullptr);
  if (info->si_code <= 0) ::raise(number);  // abort() and the like; what an instruction caused comes again by itself
}

/// From now on a thread that crashes, aborts or exits says so in its page before what would have happened happens. One difference: exit()
/// in a call ends the process at once, without the destructors of static objects, which other threads use.
inline void blame_crashes() noexcept {
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP}) {
    struct sigaction action{};
    action.sa_sigaction = note_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, &actions_before[static_cast<std::size_t>(number)]);
  }
  ::on_exit(
      [](int status, void*) {
        if (thread_page == nullptr || !thread_page->read()) return;
        thread_page->crash();
        std::fflush(stdout);
        ::_exit(status);
      },
      nullptr);
}

/// For as long as it lives this thread's crashes are told in `page`, stack overflows too.
class blamed_thread {
 public:
  explicit blamed_thread(progress_page& page) : stack_(new std::byte[stack_size]) {
    thread_page = &page;
    stack_t now{};
    if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;  // a sanitizer has its own
    stack_t mine{};
    mine.ss_sp = stack_.get();
    mine.ss_size = stack_size;
    set_ = ::sigaltstack(&mine, nullptr) == 0;
  }
  blamed_thread(const blamed_thread&) = delete;
  blamed_thread& operator=(const blamed_thread&) = delete;
  ~blamed_thread() {
    thread_page = nullptr;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    if (set_) ::sigaltstack(&none, nullptr);
  }

 private:
  static constexpr std::size_t stack_size = 64 * 1024;
  std::unique_ptr<std::byte[]> stack_;
  bool set_ = false;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
