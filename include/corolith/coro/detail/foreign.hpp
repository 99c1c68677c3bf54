// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/awaitable.hpp>
#include <corolith/coro/detail/suspension.hpp>

#include <coroutine>
#include <exception>
#include <utility>

// Awaitables that know nothing of corolith resume whoever awaits them wherever they like. A task wants to be resumed on
// its home loop, so a small coroutine stands in for it: it awaits the foreign awaiter, and its end resumes the task at
// home.
namespace corolith {
inline namespace v0 {
namespace detail {

class stand_in {
 public:
  struct promise_type : coro_context {
    suspension* waiting = nullptr;
    std::exception_ptr* error = nullptr;

    stand_in get_return_object() { return stand_in(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct finish {
        bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> self) noexcept { self.promise().waiting->fire(); }
        void await_resume() noexcept {}
      };
      return finish{};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { *error = std::current_exception(); }
  };

  stand_in() noexcept = default;
  stand_in(stand_in&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  stand_in& operator=(stand_in&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~stand_in() {
    if (handle_) handle_.destroy();
  }

  void start(const coro_context& context, suspension& waiting, std::exception_ptr& error) {
    handle_.promise().context() = context;
    handle_.promise().waiting = &waiting;
    handle_.promise().error = &error;
    handle_.resume();
  }

 private:
  explicit stand_in(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// Suspends as the awaiter it refers to does, and leaves the result where it is.
template <class Awaiter>
struct only_suspend {
  Awaiter& inner;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  decltype(auto) await_suspend(std::coroutine_handle<Promise> coroutine) {
    return inner.await_suspend(coroutine);
  }
  void await_resume() const noexcept {}
};

template <class Awaiter>
stand_in stand_in_for(Awaiter& inner) {
  co_await only_suspend<Awaiter>{inner};
}

/// Awaits an A for a corolith coroutine.
template <class A>
class foreign_awaiter : public native_awaiter {
 public:
  explicit foreign_awaiter(A&& awaited) : inner_(get_awaiter(static_cast<A&&>(awaited))) {}

  bool await_ready() { return static_cast<bool>(inner_.await_ready()); }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    stand_in_ = stand_in_for(inner_);
    stand_in_.start(coroutine.promise().context(), suspension_, error_);
    return suspension_.settle();
  }

  decltype(auto) await_resume() {
    if (error_) std::rethrow_exception(std::move(error_));
    return static_cast<awaiter_t<A>&&>(inner_).await_resume();
  }

 private:
  awaiter_t<A> inner_;
  suspension suspension_;
  std::exception_ptr error_;
  stand_in stand_in_;
};

/// Base of the library's promise types: what every corolith coroutine can await.
class awaits_anything : public coro_context {
 public:
  template <class A>
    requires native<A>
  A&& await_transform(A&& awaited) noexcept {
    return static_cast<A&&>(awaited);
  }

  template <class A>
    requires(!native<A>)
  foreign_awaiter<A> await_transform(A&& awaited) {
    return foreign_awaiter<A>(static_cast<A&&>(awaited));
  }
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
