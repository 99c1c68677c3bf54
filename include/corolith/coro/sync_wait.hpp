// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/foreign.hpp>
#include <corolith/coro/detail/suspension.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/result.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The coroutine that a blocked thread runs: its end stops the thread's loop.
class blocking_root {
 public:
  class promise_type : public awaits_anything {
   public:
    blocking_root get_return_object() noexcept {
      return blocking_root(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept {
      struct finish {
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> self) const noexcept { self.promise().own->stop(); }
        void await_resume() const noexcept {}
      };
      return finish{};
    }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // the coroutine catches everything

    run_loop* own = nullptr;
    resume_work first;
  };

  blocking_root(const blocking_root&) = delete;
  blocking_root& operator=(const blocking_root&) = delete;
  ~blocking_root() { coroutine_.destroy(); }

  void run(run_loop& own, std::stop_token stop) {
    promise_type& promise = coroutine_.promise();
    promise.own = &own;
    promise.home = &own;
    promise.stop = std::move(stop);
    promise.first.handle = coroutine_;
    own.post(promise.first);
    own.run();
  }

 private:
  explicit blocking_root(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

template <class A, class Outcome>
blocking_root run_blocking(A&& awaited, Outcome& outcome) {
  try {
    if constexpr (std::is_void_v<await_result_t<A>>) {
      co_await static_cast<A&&>(awaited);
      outcome.emplace(std::in_place);
    } else if constexpr (std::is_reference_v<await_result_t<A>>) {
      outcome.emplace(std::in_place, std::addressof(co_await static_cast<A&&>(awaited)));
    } else {
      outcome.emplace(std::in_place, co_await static_cast<A&&>(awaited));
    }
  } catch (...) {
    outcome.emplace(std::current_exception());
  }
}

}  // namespace detail

/// Blocks the calling thread until `awaited` (a task, a future, anything awaitable) is complete, running the tasks
/// behind it on a loop of its own meanwhile. Returns its value or throws its exception. `stop` is the stop token that
/// the task sees.
template <awaitable A>
await_result_t<A> sync_wait(A&& awaited, std::stop_token stop = {}) {
  using value = await_result_t<A>;
  using stored = std::conditional_t<std::is_reference_v<value>, std::add_pointer_t<value>, value>;
  std::optional<result<stored>> outcome;
  {
    run_loop own;
    detail::run_blocking(static_cast<A&&>(awaited), outcome).run(own, std::move(stop));
  }
  if constexpr (std::is_reference_v<value>) {
    return static_cast<value>(*std::move(*outcome).value());
  } else {
    return std::move(*outcome).value();
  }
}

}  // namespace v0
}  // namespace corolith
