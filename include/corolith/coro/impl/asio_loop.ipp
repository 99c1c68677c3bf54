// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/asio_loop.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

// Shared by the loop and the handlers it has in Asio's queue. At most one handler "drains" at a time: only it runs work
// and touches the alarm.
class asio_loop_core : public std::enable_shared_from_this<asio_loop_core> {
 public:
  asio_loop_core(asio::any_io_executor executor, loop* owner) : executor_(std::move(executor)), owner_(owner) {}

  void post(loop::work& item) noexcept {
    item.next = nullptr;
    std::unique_lock lock(mutex_);
    *end_ = &item;
    end_ = &item.next;
    schedule(lock);
  }

  void post_at(loop::time_point when, loop::timer& item) {
    std::unique_lock lock(mutex_);
    item.when = when;
    timers_.push(item);
    if (item.position == 0) schedule(lock);
  }

  bool cancel(loop::timer& item) noexcept {
    std::lock_guard lock(mutex_);
    return timers_.remove(item);
  }

  void task_started() {
    std::lock_guard lock(mutex_);
    if (tasks_++ == 0) guard_.emplace(executor_);
  }

  /// True when it was the last one.
  bool task_finished() noexcept {
    std::lock_guard lock(mutex_);
    if (--tasks_ > 0) return false;
    guard_.reset();
    return true;
  }

 private:
  // The caller may be gone once the lock is: only when this call schedules, the item still waits for it.
  void schedule(std::unique_lock<std::mutex>& lock) {
    if (std::exchange(draining_, true)) return;
    auto self = shared_from_this();
    lock.unlock();
    self->post_drain();
  }

  void post_drain() {
    asio::post(executor_, [self = shared_from_this()] { self->drain(); });
  }

  void drain() {
    run(take_ready());
    std::unique_lock lock(mutex_);
    if (first_ != nullptr) {  // posted meanwhile: after Asio's other handlers
      lock.unlock();
      post_drain();
      return;
    }
    set_alarm();
    draining_ = false;
  }

  loop::work* take_ready() noexcept {
    std::lock_guard lock(mutex_);
    if (!timers_.empty()) {
      *end_ = timers_.take_due(loop::clock::now());
      while (*end_ != nullptr) end_ = &(*end_)->next;
    }
    end_ = &first_;
    return std::exchange(first_, nullptr);
  }

  void run(loop::work* item) noexcept {
    current_loop_scope scope(owner_);
    while (item != nullptr) {
      loop::work* next = item->next;  // the item may be gone after its run
      item->run(item);
      item = next;
    }
  }

  void set_alarm() {
    loop::time_point when = timers_.empty() ? loop::time_point::max() : timers_.earliest();
    if (when == alarm_at_) return;
    alarm_at_ = when;
    if (timers_.empty()) {
      alarm_.reset();
      return;
    }
    if (!alarm_) alarm_.emplace(executor_);
    alarm_->expires_at(when);
    alarm_->async_wait([self = shared_from_this()](const asio::error_code& failure) {
      if (!failure) self->ring();
    });
  }

  void ring() {
    std::unique_lock lock(mutex_);
    if (std::exchange(draining_, true)) return;
    alarm_at_ = loop::time_point::max();
    lock.unlock();
    drain();
  }

  asio::any_io_executor executor_;
  loop* owner_;
  std::mutex mutex_;
  loop::work* first_ = nullptr;
  loop::work** end_ = &first_;
  bool draining_ = false;
  timer_heap timers_;
  std::optional<asio::steady_timer> alarm_;
  loop::time_point alarm_at_ = loop::time_point::max();
  std::size_t tasks_ = 0;
  std::optional<asio::executor_work_guard<asio::any_io_executor>> guard_;
};

}  // namespace detail

COROLITH_DECL asio_loop::asio_loop(asio::any_io_executor executor)
    : core_(std::make_shared<detail::asio_loop_core>(std::move(executor), this)) {}
COROLITH_DECL asio_loop::~asio_loop() = default;

COROLITH_DECL void asio_loop::post(work& item) noexcept { core_->post(item); }
COROLITH_DECL void asio_loop::post_at(time_point when, timer& item) { core_->post_at(when, item); }
COROLITH_DECL bool asio_loop::cancel(timer& item) noexcept { return core_->cancel(item); }
COROLITH_DECL void asio_loop::work_started() noexcept { core_->task_started(); }
COROLITH_DECL void asio_loop::work_finished() noexcept {
  if (core_->task_finished() && self_owned_) delete this;
}

COROLITH_DECL asio_loop& asio_loop::make_self_owned(asio::any_io_executor executor) {
  auto made = std::make_unique<asio_loop>(std::move(executor));
  made->self_owned_ = true;
  return *made.release();
}

}  // namespace v0
}  // namespace corolith
