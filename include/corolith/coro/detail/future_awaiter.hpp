// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/awaitable.hpp>
#include <corolith/coro/detail/future_state.hpp>
#include <corolith/coro/detail/suspension.hpp>

#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Suspends until a future is complete or the awaiting task is asked to stop. Whoever takes the waiter out of the
/// future's list, the completion or the stop request, is the one event that resumes.
class future_awaiter_base : public native_awaiter {
 public:
  explicit future_awaiter_base(future_state_base& state) noexcept : state_(state) {}
  future_awaiter_base(const future_awaiter_base&) = delete;
  future_awaiter_base& operator=(const future_awaiter_base&) = delete;

  bool await_ready() const noexcept { return state_.complete(); }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    waiter_.self = this;
    waiter_.notify = [](waiter* item) noexcept { static_cast<completion*>(item)->self->suspension_.fire(); };
    if (!state_.add_waiter(waiter_)) return false;
    waiting_ = true;
    if (coro_context* context = context_of(coroutine))
      if (context->stop.stop_possible()) on_stop_.emplace(context->stop, on_stop{this});
    return suspension_.settle();
  }

 protected:
  // Only a coroutine that is destroyed where it is suspended still waits here.
  ~future_awaiter_base() {
    if (!waiting_) return;
    on_stop_.reset();
    state_.remove_waiter(waiter_);
  }

  /// Ends the wait; true when it ended by a stop request.
  bool resumed_by_stop() noexcept {
    on_stop_.reset();  // blocks while the callback runs on another thread
    waiting_ = false;
    return stopped_;
  }

  static cancelled stop_error() { return cancelled("cancelled: the awaiting task was asked to stop"); }

 private:
  struct completion : waiter {
    future_awaiter_base* self = nullptr;
  };
  struct on_stop {
    future_awaiter_base* self;
    // The awaiter outlives this call, as its destructor waits for it, except after `fire`.
    void operator()() const noexcept {
      if (!self->state_.remove_waiter(self->waiter_)) return;
      self->stopped_ = true;
      self->state_.cancel();
      self->suspension_.fire();
    }
  };

  future_state_base& state_;
  suspension suspension_;
  completion waiter_;
  bool waiting_ = false;
  bool stopped_ = false;
  std::optional<std::stop_callback<on_stop>> on_stop_;
};

template <class T>
class future_awaiter : public future_awaiter_base {
 public:
  explicit future_awaiter(std::shared_ptr<future_state<T>> state) noexcept
      : future_awaiter_base(*state), state_(std::move(state)) {}

  T await_resume() {
    if (resumed_by_stop()) throw stop_error();
    return state_->take();
  }

 private:
  std::shared_ptr<future_state<T>> state_;
};

template <class T>
class future_result_awaiter : public future_awaiter_base {
 public:
  explicit future_result_awaiter(std::shared_ptr<future_state<T>> state) noexcept
      : future_awaiter_base(*state), state_(std::move(state)) {}

  result<T> await_resume() {
    if (resumed_by_stop()) return result<T>(std::make_exception_ptr(stop_error()));
    return state_->take_result();
  }

 private:
  std::shared_ptr<future_state<T>> state_;
};

/// What `as_result` gives: an awaitable that does not throw.
template <class T>
class future_as_result {
 public:
  explicit future_as_result(std::shared_ptr<future_state<T>> state) noexcept : state_(std::move(state)) {}
  future_result_awaiter<T> operator co_await() const noexcept { return future_result_awaiter<T>(state_); }

 private:
  std::shared_ptr<future_state<T>> state_;
};

/// Blocks the calling thread until `state` is complete or `until`. True when complete.
inline bool block_on(future_state_base& state, std::optional<loop::time_point> until = std::nullopt) {
  struct blocked : waiter {
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;
  };
  if (state.complete()) return true;
  blocked here;
  here.notify = [](waiter* item) noexcept {
    auto& self = *static_cast<blocked*>(item);
    std::lock_guard lock(self.mutex);
    self.done = true;
    self.wake.notify_one();  // under the lock: it keeps `self` alive
  };
  if (!state.add_waiter(here)) return true;
  std::unique_lock lock(here.mutex);
  auto done = [&here] { return here.done; };
  if (until && !here.wake.wait_until(lock, *until, done)) {
    lock.unlock();
    if (state.remove_waiter(here)) return false;
    lock.lock();
  }
  here.wake.wait(lock, done);
  return true;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
