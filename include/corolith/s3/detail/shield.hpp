// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/awaiter.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include <chrono>
#include <coroutine>
#include <stop_token>
#include <tuple>
#include <utility>
#include <variant>

// For what must be done although a task was asked to stop.
namespace corolith::inline v0::s3::detail {

/// `co_await from_now_on(token)`: what the awaiting coroutine awaits afterwards sees this stop token, no longer that of its own awaiter.
class from_now_on : public native_awaiter {
 public:
  explicit from_now_on(std::stop_token token) noexcept : token_(std::move(token)) {}
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    coroutine.promise().context().stop = std::move(token_);
    return false;
  }
  void await_resume() const noexcept {}

 private:
  std::stop_token token_;
};

struct grace_state {
  std::stop_source wake;  ///< a stop request came, or the work has ended
  std::stop_source over;  ///< the work has ended
  std::stop_source late;  ///< and now it is enough
};

template <class T>
task<T> graced_work(task<T> work, grace_state* state) {
  struct ended {
    grace_state* state;
    ~ended() {
      state->over.request_stop();
      state->wake.request_stop();
    }
  };
  const ended at_end{state};
  co_await from_now_on(state->late.get_token());
  co_return co_await std::move(work);
}

inline task<bool> slept(loop::time_point until) {
  try {
    co_await sleep_until(until);
  } catch (const cancelled&) {
    co_return false;
  }
  co_return true;
}

inline task<void> graced_watch(grace_state* state, std::chrono::nanoseconds grace) {
  co_await from_now_on(state->wake.get_token());
  [[maybe_unused]] const bool never = co_await slept(loop::time_point::max());
  co_await from_now_on(state->over.get_token());
  const loop::time_point until = loop::clock::now() + grace;
  const bool enough = co_await slept(until);
  if (enough) state->late.request_stop();
}

/// Runs a task that a stop request reaches only after a time of grace, in which most come to their end.
template <class T>
task<T> with_grace(task<T> work, std::chrono::nanoseconds grace) {
  grace_state state;
  const std::stop_token outer = co_await this_stop_token();
  if (outer.stop_requested()) throw cancelled("cancelled: the task was asked to stop before it began");
  const auto tell = [&state]() noexcept { state.wake.request_stop(); };
  const std::stop_callback<decltype(tell)> forward(outer, tell);
  auto both = co_await when_all(graced_work(std::move(work), &state), graced_watch(&state, grace));
  co_return std::get<0>(std::move(both));
}

}  // namespace corolith::inline v0::s3::detail
