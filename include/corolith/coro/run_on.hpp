// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/awaiter.hpp>
#include <corolith/coro/detail/root.hpp>
#include <corolith/coro/result.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/task.hpp>

#include <coroutine>
#include <optional>
#include <stop_token>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

// Leaves the loop before the event: whoever waited for it may destroy the loop then.
template <class T>
detached run_there(task<T> work, std::optional<result<T>>* outcome, suspension* waiting) {
  loop& there = co_await this_loop();
  outcome->emplace(co_await finish(std::move(work)));
  there.work_finished();
  waiting->fire();
}

template <class T>
class run_on_awaiter : public native_awaiter {
 public:
  run_on_awaiter(loop& where, task<T> work) noexcept : where_(where), work_(std::move(work)) {}
  run_on_awaiter(const run_on_awaiter&) = delete;
  run_on_awaiter& operator=(const run_on_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    std::stop_token stop;
    if (coro_context* context = context_of(coroutine)) stop = context->stop;
    run_there(std::move(work_), &outcome_, &suspension_).start(where_, std::move(stop));
    return suspension_.settle();
  }
  T await_resume() { return std::move(*outcome_).value(); }

 private:
  loop& where_;
  task<T> work_;
  suspension suspension_;
  std::optional<result<T>> outcome_;
};

}  // namespace detail

/// A task that waits to be run elsewhere; `run_on` makes it.
template <class T>
class [[nodiscard("the task runs only when this is awaited")]] run_on_operation {
 public:
  run_on_operation(loop& where, task<T> work) noexcept : where_(&where), work_(std::move(work)) {}

  detail::run_on_awaiter<T> operator co_await() && { return {*where_, std::move(work_)}; }

 private:
  loop* where_;
  task<T> work_;
};

/// `co_await run_on(where, work)`: runs a task with `where` as its home, then resumes at the awaiter's own home with its
/// value or its exception. It resumes when the task has ended and its frame is gone, never before: also after a stop
/// request, which reaches the task through the awaiter's token and which the task answers as it sees fit. What the task
/// refers to in the awaiting coroutine therefore stays valid, which a future of `start` does not promise. The awaiting
/// coroutine must not be destroyed meanwhile, and `where` must be running.
template <class T>
run_on_operation<T> run_on(loop& where, task<T> work) noexcept {
  return {where, std::move(work)};
}

}  // namespace v0
}  // namespace corolith
