// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>

#include <thread>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

inline loop*& current_loop() noexcept {
  static constinit thread_local loop* current = nullptr;
  return current;
}

COROLITH_DECL current_loop_scope::current_loop_scope(loop* entered) noexcept
    : outer_(std::exchange(current_loop(), entered)) {}
COROLITH_DECL current_loop_scope::~current_loop_scope() { current_loop() = outer_; }

inline void timer_heap::place(loop::timer& item, std::size_t position) noexcept {
  heap_[position] = &item;
  item.position = position;
}

inline void timer_heap::sift_up(std::size_t position) noexcept {
  loop::timer& item = *heap_[position];
  while (position > 0) {
    std::size_t parent = (position - 1) / 2;
    if (heap_[parent]->when <= item.when) break;
    place(*heap_[parent], position);
    position = parent;
  }
  place(item, position);
}

inline void timer_heap::sift_down(std::size_t position) noexcept {
  loop::timer& item = *heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when < heap_[child]->when) ++child;
    if (item.when <= heap_[child]->when) break;
    place(*heap_[child], position);
    position = child;
  }
  place(item, position);
}

COROLITH_DECL void timer_heap::push(loop::timer& item) {
  heap_.push_back(&item);
  sift_up(heap_.size() - 1);
}

COROLITH_DECL bool timer_heap::remove(loop::timer& item) noexcept {
  std::size_t position = std::exchange(item.position, loop::timer::not_queued);
  if (position == loop::timer::not_queued) return false;
  loop::timer& last = *heap_.back();
  heap_.pop_back();
  if (&last != &item) {
    place(last, position);
    sift_up(position);
    sift_down(last.position);
  }
  return true;
}

COROLITH_DECL loop::work* timer_heap::take_due(loop::time_point now) noexcept {
  loop::work* first = nullptr;
  loop::work** end = &first;
  while (!heap_.empty() && heap_.front()->when <= now) {
    loop::timer& due = *heap_.front();
    remove(due);
    due.next = nullptr;
    *end = &due;
    end = &due.next;
  }
  return first;
}

}  // namespace detail

COROLITH_DECL loop* loop::current() noexcept { return detail::current_loop(); }

// As soon as the item is in the queue, the owner may run it, return and destroy the loop. So nothing of the loop is
// touched after a push while the owner is awake, and a sleeping owner cannot leave before the lock is released.
COROLITH_DECL void run_loop::post(work& item) noexcept {
  work* newest = posted_.load(std::memory_order_acquire);
  for (;;) {
    if (newest == &asleep_) {
      std::lock_guard lock(mutex_);
      newest = posted_.load(std::memory_order_acquire);
      if (newest != &asleep_) continue;
      item.next = nullptr;
      posted_.store(&item, std::memory_order_release);
      wake_.notify_one();
      return;
    }
    item.next = newest;
    if (posted_.compare_exchange_weak(newest, &item, std::memory_order_acq_rel, std::memory_order_acquire)) return;
  }
}

COROLITH_DECL void run_loop::post_at(time_point when, timer& item) {
  std::lock_guard lock(mutex_);
  item.when = when;
  timers_.push(item);
  earliest_.store(timers_.earliest().time_since_epoch().count(), std::memory_order_release);
  if (item.position == 0) wake_.notify_one();
}

COROLITH_DECL bool run_loop::cancel(timer& item) noexcept {
  std::lock_guard lock(mutex_);
  if (!timers_.remove(item)) return false;
  earliest_.store(timers_.empty() ? never : timers_.earliest().time_since_epoch().count(), std::memory_order_release);
  return true;
}

COROLITH_DECL void run_loop::stop() noexcept {
  std::lock_guard lock(mutex_);
  stopped_.store(true, std::memory_order_release);
  wake_.notify_one();
}

inline void run_loop::append(work* first) noexcept {
  if (first == nullptr) return;
  (ready_ == nullptr ? ready_ : ready_end_->next) = first;
  while (first->next != nullptr) first = first->next;
  ready_end_ = first;
}

inline bool run_loop::take_posted() noexcept {
  if (posted_.load(std::memory_order_relaxed) == nullptr) return false;
  work* newest = posted_.exchange(nullptr, std::memory_order_acq_rel);
  work* oldest = nullptr;
  while (newest != nullptr) {
    work* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  append(oldest);
  return true;
}

inline void run_loop::take_timers() noexcept {
  std::int64_t earliest = earliest_.load(std::memory_order_acquire);
  if (earliest == never) return;
  time_point now = clock::now();
  if (now.time_since_epoch().count() < earliest) return;
  std::lock_guard lock(mutex_);
  append(timers_.take_due(now));
  earliest_.store(timers_.empty() ? never : timers_.earliest().time_since_epoch().count(), std::memory_order_release);
}

inline void run_loop::sleep(time_point limit) {
  std::unique_lock lock(mutex_);
  work* none = nullptr;
  if (stopped_.load(std::memory_order_acquire)) return;
  if (!posted_.compare_exchange_strong(none, &asleep_, std::memory_order_acq_rel)) return;
  while (posted_.load(std::memory_order_acquire) == &asleep_ && !stopped_.load(std::memory_order_acquire)) {
    time_point until = timers_.empty() || limit < timers_.earliest() ? limit : timers_.earliest();
    if (until == time_point::max()) {
      wake_.wait(lock);
    } else if (clock::now() >= until || wake_.wait_until(lock, until) == std::cv_status::timeout) {
      break;
    }
  }
  work* still = &asleep_;
  posted_.compare_exchange_strong(still, nullptr, std::memory_order_acq_rel);
}

// Runs one piece of work, or sleeps once. False when nothing was ready and it may not sleep.
inline bool run_loop::step(bool may_sleep, time_point limit) {
  if (ready_ == nullptr) {
    take_posted();
    take_timers();
  }
  if (ready_ == nullptr) {
    if (may_sleep) sleep(limit);
    return false;
  }
  work* item = ready_;
  ready_ = item->next;
  item->run(item);
  return true;
}

COROLITH_DECL void run_loop::run() { run_until(time_point::max()); }

COROLITH_DECL void run_loop::run_until(time_point when) {
  detail::current_loop_scope scope(this);
  while (!stopped_.load(std::memory_order_acquire)) {
    if (!step(true, when) && when != time_point::max() && clock::now() >= when) return;
  }
  // `stop` may still hold the lock; once this has it, the caller may destroy the loop.
  std::lock_guard lock(mutex_);
  stopped_.store(false, std::memory_order_release);
}

COROLITH_DECL std::size_t run_loop::poll() {
  detail::current_loop_scope scope(this);
  take_posted();
  take_timers();
  std::size_t count = 0;
  work* last = ready_ == nullptr ? nullptr : ready_end_;
  while (ready_ != nullptr) {
    bool end = ready_ == last;
    step(false, time_point::max());
    ++count;
    if (end) break;
  }
  return count;
}

namespace detail {

// The loop itself is never destroyed: whatever is posted after the end of its thread is safely forgotten.
class background_thread {
 public:
  background_thread() : loop_(*new run_loop), thread_([&target = loop_] { target.run(); }) {}
  background_thread(const background_thread&) = delete;
  background_thread& operator=(const background_thread&) = delete;
  ~background_thread() {
    loop_.stop();
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();  // exit() was called by a coroutine on this loop
    } else {
      thread_.join();
    }
  }
  loop& get() noexcept { return loop_; }

 private:
  run_loop& loop_;
  std::thread thread_;
};

}  // namespace detail

COROLITH_DECL loop& background_loop() {
  static detail::background_thread thread;
  return thread.get();
}

}  // namespace v0
}  // namespace corolith
