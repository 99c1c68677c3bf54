// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/detail/awaitable.hpp>
#include <corolith/coro/detail/suspension.hpp>

#include <chrono>
#include <coroutine>
#include <optional>
#include <stop_token>

namespace corolith {
inline namespace v0 {
namespace detail {

class stop_token_awaiter : public native_awaiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    token_ = coroutine.promise().context().stop;
    return false;
  }
  std::stop_token await_resume() noexcept { return std::move(token_); }

 private:
  std::stop_token token_;
};

class loop_awaiter : public native_awaiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    loop_ = &home_of(coroutine);
    return false;
  }
  loop& await_resume() const noexcept { return *loop_; }

 private:
  loop* loop_ = nullptr;
};

class reschedule_awaiter : public native_awaiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) {
    work_.handle = coroutine;
    home_of(coroutine).post(work_);
  }
  void await_resume() const noexcept {}

 private:
  resume_work work_;
};

class sleep_awaiter : public native_awaiter {
 public:
  explicit sleep_awaiter(loop::time_point when) noexcept : when_(when) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    timer_.self = this;
    timer_.run = [](loop::work* item) noexcept { static_cast<timer*>(item)->self->suspension_.fire(); };
    suspension_.home().post_at(when_, timer_);
    if (coro_context* context = context_of(coroutine)) on_stop_.emplace(context->stop, on_stop{this});
    return suspension_.settle();
  }
  void await_resume() {
    on_stop_.reset();
    if (stopped_) throw cancelled("cancelled: the task was asked to stop while it slept");
  }

 private:
  struct timer : loop::timer {
    sleep_awaiter* self = nullptr;
  };
  struct on_stop {
    sleep_awaiter* self;
    void operator()() const noexcept {
      if (!self->suspension_.home().cancel(self->timer_)) return;
      self->stopped_ = true;
      self->suspension_.fire();
    }
  };

  loop::time_point when_;
  suspension suspension_;
  timer timer_;
  bool stopped_ = false;
  std::optional<std::stop_callback<on_stop>> on_stop_;
};

struct sleep_operation {
  loop::time_point when;
  sleep_awaiter operator co_await() const noexcept { return sleep_awaiter(when); }
};

}  // namespace detail

/// `co_await this_stop_token()`: the token through which the awaiting task is asked to stop.
inline detail::stop_token_awaiter this_stop_token() noexcept { return {}; }

/// `co_await this_loop()`: the awaiting coroutine's home loop.
inline detail::loop_awaiter this_loop() noexcept { return {}; }

/// `co_await reschedule()`: goes to the end of the home loop's queue, and to the home loop's thread.
inline detail::reschedule_awaiter reschedule() noexcept { return {}; }

/// `co_await sleep_until(t)`: suspends until then. Throws `cancelled` at once when the task is asked to stop.
inline detail::sleep_operation sleep_until(loop::time_point when) noexcept { return {when}; }

/// `co_await sleep_for(d)`: suspends that long. Throws `cancelled` at once when the task is asked to stop.
template <class Rep, class Period>
detail::sleep_operation sleep_for(std::chrono::duration<Rep, Period> duration) {
  return {detail::deadline_after(duration)};
}

}  // namespace v0
}  // namespace corolith
