// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/context.hpp>
#include <corolith/coro/detail/trampoline.hpp>

#include <atomic>
#include <coroutine>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Work that resumes a coroutine.
struct resume_work : loop::work {
  std::coroutine_handle<> handle;

  resume_work() noexcept { run = &resume; }

 private:
  static void resume(loop::work* item) noexcept { detail::run(static_cast<resume_work*>(item)->handle); }
};

/// The last act of a foreign or corolith parent's await_suspend: `child` runs next. It runs here when this is its home,
/// as it is for every corolith parent; a foreign coroutine may be anywhere, then `entry` takes the child home.
template <class Promise>
void enter(std::coroutine_handle<Promise> parent, std::coroutine_handle<> child, loop& home,
           resume_work& entry) noexcept {
  if constexpr (!has_context<Promise>) {
    if (loop::current() != &home) {
      entry.handle = child;
      home.post(entry);
      return;
    }
  }
  transfer(parent, child);
}

/// Lets one event resume a coroutine on its home loop. The event may come while await_suspend is still at work, from
/// any thread: then the coroutine does not suspend at all, so nothing that await_suspend touches can be gone.
class suspension {
 public:
  template <class Promise>
  void prepare(std::coroutine_handle<Promise> coroutine) {
    work_.handle = coroutine;
    home_ = &home_of(coroutine);
  }

  /// The last act of await_suspend, which returns what this returns. Nothing may be touched afterwards.
  bool settle() noexcept { return phase_.exchange(settled, std::memory_order_acq_rel) == open; }

  /// The event happened. To be called once in all; the awaiter may be gone when it returns.
  void fire() noexcept {
    if (phase_.exchange(fired, std::memory_order_acq_rel) == settled) home_->post(work_);
  }

  loop& home() const noexcept { return *home_; }
  /// What `fire` posts to the home loop.
  loop::work& posted() noexcept { return work_; }

 private:
  enum phase { open, settled, fired };

  resume_work work_;
  loop* home_ = nullptr;
  std::atomic<phase> phase_{open};
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
