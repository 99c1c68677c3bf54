// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/foreign.hpp>
#include <corolith/coro/detail/suspension.hpp>
#include <corolith/coro/detail/trampoline.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {

/// A coroutine that gives many values, each when it is asked for: `while (auto v = co_await g.next())`. It may co_await
/// inside, runs on the home loop of whoever awaits `next`, and sees that one's stop token. Move-only; destroying it
/// where it yielded ends it.
template <class T>
class [[nodiscard]] generator {
  static_assert(!std::is_reference_v<T>, "a generator gives values: use a pointer or std::reference_wrapper");

 public:
  using value_type = T;

  class promise_type : public detail::awaits_anything {
   public:
    struct pass_on {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        detail::transfer(self, self.promise().consumer);
      }
      void await_resume() const noexcept {}
    };

    generator get_return_object() noexcept {
      return generator(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    pass_on final_suspend() const noexcept { return {}; }
    template <class U = T>
      requires std::constructible_from<T, U&&>
    pass_on yield_value(U&& value) {
      current.emplace(static_cast<U&&>(value));
      return {};
    }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { error = std::current_exception(); }

    std::coroutine_handle<> consumer;
    std::optional<T> current;
    std::exception_ptr error;
  };

  generator() noexcept = default;
  generator(generator&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  generator& operator=(generator&& other) noexcept {
    generator moved(std::move(other));
    std::swap(coroutine_, moved.coroutine_);
    return *this;
  }
  ~generator() {
    if (coroutine_) coroutine_.destroy();
  }

  /// An awaitable of std::optional<T>: the next value; nothing after the last one. Throws what escaped the coroutine.
  /// One at a time.
  auto next() noexcept { return next_operation{coroutine_}; }

 private:
  using handle = std::coroutine_handle<promise_type>;

  class next_awaiter : public detail::native_awaiter {
   public:
    explicit next_awaiter(handle coroutine) noexcept : coroutine_(coroutine) {}

    bool await_ready() const noexcept { return !coroutine_ || coroutine_.done(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> consumer) {
      auto& promise = coroutine_.promise();
      detail::inherit(promise.context(), consumer);
      promise.consumer = consumer;
      detail::enter(consumer, coroutine_, *promise.home, entry_);
    }
    std::optional<T> await_resume() {
      if (!coroutine_) return std::nullopt;
      auto& promise = coroutine_.promise();
      if (promise.error) std::rethrow_exception(std::exchange(promise.error, nullptr));
      return std::exchange(promise.current, std::nullopt);
    }

   private:
    handle coroutine_;
    detail::resume_work entry_;
  };

  struct next_operation {
    handle coroutine;
    next_awaiter operator co_await() const noexcept { return next_awaiter(coroutine); }
  };

  explicit generator(handle coroutine) noexcept : coroutine_(coroutine) {}
  handle coroutine_;
};

}  // namespace v0
}  // namespace corolith
