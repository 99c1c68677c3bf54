// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/uring/detail/backend.hpp>
#include <corolith/uring/detail/choose_backend.hpp>
#include <corolith/uring/detail/request.hpp>
#include <corolith/uring/io_loop.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace uring {

COROLITH_DECL io_loop::io_loop(io_options options) : backend_(detail::choose_backend(options)) {}

COROLITH_DECL io_loop::~io_loop() {
  closing_.store(true, std::memory_order_release);
  dying_ = true;
  cancel_all();
  const bool forever = false;
  while (under_way_ != nullptr) turn_for(forever);
}

COROLITH_DECL io_backend io_loop::backend() const noexcept { return backend_->kind(); }

// As soon as the item is in the queue, the owner may run it, return and destroy the loop. So nothing of the loop is
// touched after a push while the owner is awake, and a sleeping owner cannot leave before the lock is released.
COROLITH_DECL void io_loop::post(work& item) noexcept {
  if (is_current()) {
    item.next = nullptr;
    append(&item);
    return;
  }
  work* newest = posted_.load(std::memory_order_acquire);
  for (;;) {
    if (newest == &asleep_) {
      std::lock_guard lock(mutex_);
      newest = posted_.load(std::memory_order_acquire);
      if (newest != &asleep_) continue;
      item.next = nullptr;
      posted_.store(&item, std::memory_order_release);
      backend_->wake();
      return;
    }
    item.next = newest;
    if (posted_.compare_exchange_weak(newest, &item, std::memory_order_acq_rel, std::memory_order_acquire)) return;
  }
}

COROLITH_DECL void io_loop::post_at(time_point when, timer& item) {
  std::lock_guard lock(mutex_);
  item.when = when;
  timers_.push(item);
  earliest_.store(timers_.earliest().time_since_epoch().count(), std::memory_order_release);
  if (item.position == 0 && !is_current()) backend_->wake();
}

COROLITH_DECL bool io_loop::cancel(timer& item) noexcept {
  std::lock_guard lock(mutex_);
  if (!timers_.remove(item)) return false;
  earliest_.store(timers_.empty() ? never : timers_.earliest().time_since_epoch().count(), std::memory_order_release);
  return true;
}

COROLITH_DECL void io_loop::work_started() noexcept { tasks_.fetch_add(1, std::memory_order_relaxed); }
COROLITH_DECL void io_loop::work_finished() noexcept {
  if (is_current()) {
    tasks_.fetch_sub(1, std::memory_order_acq_rel);
    return;
  }
  std::lock_guard lock(mutex_);  // until then `run` cannot return
  tasks_.fetch_sub(1, std::memory_order_acq_rel);
  backend_->wake();
}

COROLITH_DECL void io_loop::stop() noexcept {
  std::lock_guard lock(mutex_);
  stopped_.store(true, std::memory_order_release);
  backend_->wake();
}

COROLITH_DECL void io_loop::close() noexcept {
  std::lock_guard lock(mutex_);
  closing_.store(true, std::memory_order_release);
  backend_->wake();
}

COROLITH_DECL bool io_loop::is_current() const noexcept { return loop::current() == this; }
COROLITH_DECL bool io_loop::closing() const noexcept { return closing_.load(std::memory_order_acquire); }

COROLITH_DECL bool io_loop::is_owner() noexcept {
  std::lock_guard lock(mutex_);
  return owner_ == std::thread::id() || owner_ == std::this_thread::get_id();
}

COROLITH_DECL void io_loop::submit(detail::pending& item) noexcept {
  item.previous = nullptr;
  item.next = under_way_;
  if (under_way_ != nullptr) under_way_->previous = &item;
  under_way_ = &item;
  backend_->submit(item);
}

COROLITH_DECL void io_loop::resubmit(detail::pending& item) noexcept { backend_->submit(item); }

COROLITH_DECL void io_loop::forget(detail::pending& item) noexcept {
  (item.previous == nullptr ? under_way_ : item.previous->next) = item.next;
  if (item.next != nullptr) item.next->previous = item.previous;
}

COROLITH_DECL void io_loop::cancel_operation(detail::pending& item) noexcept {
  if (!std::exchange(item.cancelling, true)) backend_->cancel(item);
}

inline void io_loop::cancel_all() noexcept {
  for (detail::pending* item = under_way_; item != nullptr;) {
    detail::pending* next = item->next;  // the item may end at once
    cancel_operation(*item);
    item = next;
  }
}

COROLITH_DECL bool io_loop::withdraw(work& item) noexcept {
  take_posted();
  work* before = nullptr;
  for (work* at = ready_; at != nullptr; before = std::exchange(at, at->next)) {
    if (at != &item) continue;
    (before == nullptr ? ready_ : before->next) = item.next;
    if (ready_end_ == &item) ready_end_ = before;
    return true;
  }
  return false;
}

COROLITH_DECL void io_loop::turn_for(const bool& ended) noexcept {
  while (!ended && under_way_ != nullptr) {
    try {
      backend_->turn(true, time_point::max());
    } catch (const std::exception& failure) {
      log::error(std::string("operations that are under way cannot be waited for: ") + failure.what());
      under_way_ = nullptr;
    }
  }
}

inline void io_loop::append(work* first) noexcept {
  if (first == nullptr) return;
  (ready_ == nullptr ? ready_ : ready_end_->next) = first;
  while (first->next != nullptr) first = first->next;
  ready_end_ = first;
}

inline void io_loop::take_posted() noexcept {
  work* newest = posted_.load(std::memory_order_relaxed);
  if (newest == nullptr || newest == &asleep_) return;
  newest = posted_.exchange(nullptr, std::memory_order_acq_rel);
  work* oldest = nullptr;
  while (newest != nullptr) {
    work* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  append(oldest);
}

inline void io_loop::take_timers() noexcept {
  const std::int64_t earliest = earliest_.load(std::memory_order_acquire);
  if (earliest == never) return;
  const time_point now = closing() ? time_point::max() : clock::now();
  if (now.time_since_epoch().count() < earliest) return;
  std::lock_guard lock(mutex_);
  append(timers_.take_due(now));
  earliest_.store(timers_.empty() ? never : timers_.earliest().time_since_epoch().count(), std::memory_order_release);
}

// What is ready now; what that makes ready is for the next turn.
inline void io_loop::run_ready() noexcept {
  work* const last = ready_ == nullptr ? nullptr : ready_end_;
  while (ready_ != nullptr && !stopped_.load(std::memory_order_acquire)) {
    work* item = ready_;
    ready_ = item->next;
    const bool end = item == last;
    item->run(item);
    if (end) return;
  }
}

inline bool io_loop::finished() const noexcept {
  if (stopped_.load(std::memory_order_acquire)) return true;
  return closing() && tasks_.load(std::memory_order_acquire) == 0 && under_way_ == nullptr && ready_ == nullptr &&
         posted_.load(std::memory_order_acquire) == nullptr;
}

inline void io_loop::wait() {
  if (ready_ != nullptr || finished()) {
    backend_->turn(false, time_point::max());
    return;
  }
  work* none = nullptr;
  const bool sleeps = posted_.compare_exchange_strong(none, &asleep_, std::memory_order_acq_rel);
  // Read after that: who posts a timer or stops before sees no sleeper, and wakes it all the same.
  const std::int64_t earliest = earliest_.load(std::memory_order_acquire);
  struct awake {
    io_loop& self;
    ~awake() {
      work* still = &self.asleep_;
      self.posted_.compare_exchange_strong(still, nullptr, std::memory_order_acq_rel);
    }
  } at_end{*this};
  const bool due = stopped_.load(std::memory_order_acquire) || (earliest != never && closing());
  backend_->turn(sleeps && !due, time_point(clock::duration(earliest)));
}

COROLITH_DECL void io_loop::run() {
  {
    std::lock_guard lock(mutex_);
    if (owner_ != std::thread::id() && owner_ != std::this_thread::get_id())
      throw error(errc::misuse, "an io_loop belongs to the thread that first ran it: run it there again");
    owner_ = std::this_thread::get_id();
  }
  corolith::detail::current_loop_scope scope(this);
  backend_->attach();
  struct detached {
    detail::backend& from;
    ~detached() { from.detach(); }
  };
  {
    detached at_end{*backend_};
    while (!finished()) {
      take_posted();
      take_timers();
      run_ready();
      if (closing() && !std::exchange(cancelled_all_, true)) cancel_all();
      wait();
    }
  }
  // `stop` or `close` may still hold the lock; once this has it, the caller may destroy the loop.
  std::lock_guard lock(mutex_);
  stopped_.store(false, std::memory_order_release);
}

}  // namespace uring
}  // namespace v0
}  // namespace corolith
