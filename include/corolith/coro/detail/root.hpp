// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/foreign.hpp>
#include <corolith/coro/detail/suspension.hpp>

#include <coroutine>
#include <exception>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A coroutine without an awaiter: it is posted to a loop, runs there, and destroys itself at its end.
class detached {
 public:
  class promise_type : public awaits_anything {
   public:
    detached get_return_object() noexcept { return detached(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { log_escaped("a detached task"); }

    resume_work first;
  };

  void start(loop& home, std::stop_token stop = {}) noexcept {
    promise_type& promise = coroutine_.promise();
    promise.home = &home;
    promise.stop = std::move(stop);
    promise.first.handle = coroutine_;
    home.work_started();
    home.post(promise.first);
  }

 private:
  explicit detached(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
