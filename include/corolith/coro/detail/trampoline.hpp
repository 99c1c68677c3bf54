// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/core/version.hpp>

#include <coroutine>
#include <exception>
#include <string>
#include <utility>

// Flat resumption. Symmetric transfer is a tail call only when the compiler feels like it (g++ 12 at -O0 and -O1 and
// with sanitizers does not), so a loop of 10^6 awaits that complete at once would overflow the stack. Here a coroutine
// that suspends names what runs next and returns to a small loop on the stack, which resumes it.
namespace corolith {
inline namespace v0 {
namespace detail {

/// A coroutine that waits for its first resumption by a trampoline.
struct ready_coroutine {
  ready_coroutine* next = nullptr;
  std::coroutine_handle<> handle;
};

struct trampoline {
  std::coroutine_handle<> running;
  std::coroutine_handle<> next;      // what `running` gave way to
  ready_coroutine* ready = nullptr;  // started here and not resumed yet, the newest group first
  trampoline* outer = nullptr;
};

inline constinit thread_local trampoline* innermost_trampoline = nullptr;

/// Logs the exception in flight: it has no one to go to.
inline void log_escaped(const char* from) noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& caught) {
      log::error(std::string("an exception escaped from ") + from + ": " + caught.what());
    } catch (...) {
      log::error(std::string("an exception of unknown type escaped from ") + from);
    }
  } catch (...) {  // no memory for the line
  }
}

/// Resumes `first`, then whatever it and its successors give way to, until nothing is left to run here.
[[gnu::noinline]] inline void run(std::coroutine_handle<> first) noexcept {
  trampoline here;
  here.outer = innermost_trampoline;
  innermost_trampoline = &here;
  here.running = first;
  while (here.running) {
    try {
      here.running.resume();
    } catch (...) {  // a foreign coroutine whose promise rethrows
      log_escaped("a coroutine");
    }
    here.running = std::exchange(here.next, nullptr);
    if (!here.running && here.ready != nullptr) {
      here.running = here.ready->handle;
      here.ready = here.ready->next;
    }
  }
  innermost_trampoline = here.outer;
}

/// The last act of `from`'s await_suspend: `to` runs next on this thread. `to` may be null.
[[gnu::noinline]] inline void transfer(std::coroutine_handle<> from, std::coroutine_handle<> to) noexcept {
  if (!to) return;
  trampoline* here = innermost_trampoline;
  if (here != nullptr && here->running == from) {
    here->next = to;
  } else {
    run(to);  // a coroutine that knows nothing of trampolines was resumed in between
  }
}

/// Within `from`'s await_suspend: the coroutines of the list first..last run, in this order, after `from` has
/// suspended. Without a trampoline that runs `from` they run inside this call.
[[gnu::noinline]] inline void start_all(std::coroutine_handle<> from, ready_coroutine* first,
                                        ready_coroutine* last) noexcept {
  trampoline* here = innermost_trampoline;
  if (here != nullptr && here->running == from) {
    last->next = here->ready;
    here->ready = first;
    return;
  }
  last->next = nullptr;
  while (first != nullptr) {
    std::coroutine_handle<> handle = first->handle;
    first = first->next;
    run(handle);
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
