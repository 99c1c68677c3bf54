// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/context.hpp>
#include <corolith/coro/detail/foreign.hpp>
#include <corolith/coro/detail/trampoline.hpp>
#include <corolith/coro/this_task.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {

template <class T>
class task;

namespace detail {

struct resume_continuation {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    transfer(self, self.promise().continuation);
  }
  void await_resume() const noexcept {}
};

class task_promise_base : public awaits_anything {
 public:
  std::coroutine_handle<> continuation;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  resume_continuation final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error_ = std::current_exception(); }

 protected:
  void rethrow() {
    if (error_) std::rethrow_exception(std::move(error_));
  }

 private:
  std::exception_ptr error_;
};

template <class T>
class task_promise final : public task_promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::constructible_from<T, U&&>
  void return_value(U&& value) {
    value_.emplace(static_cast<U&&>(value));
  }
  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <class T>
class task_promise<T&> final : public task_promise_base {
 public:
  task<T&> get_return_object() noexcept;
  void return_value(T& value) noexcept { value_ = std::addressof(value); }
  T& take() {
    rethrow();
    return *value_;
  }

 private:
  T* value_ = nullptr;
};

template <>
class task_promise<void> final : public task_promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() { rethrow(); }
};

}  // namespace detail

/// A coroutine that starts when it is awaited, once, and resumes on the home loop of whoever awaits it. It can await
/// anything: tasks, futures, Asio operations (`use_task`), other libraries' awaitables. Stop requests reach it from its
/// awaiter. Move-only; a task that is never awaited never runs. Await it as an rvalue: `co_await f()` or `co_await
/// std::move(t)`.
template <class T = void>
class [[nodiscard("a task runs only when it is awaited, spawned or given to sync_wait")]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task() noexcept = default;
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    task moved(std::move(other));
    std::swap(handle_, moved.handle_);
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  /// Whether there is a coroutine to await.
  bool valid() const noexcept { return static_cast<bool>(handle_); }

  auto operator co_await() && noexcept { return awaiter(handle_); }

 private:
  friend promise_type;
  using handle = std::coroutine_handle<promise_type>;

  class awaiter : public detail::native_awaiter {
   public:
    explicit awaiter(handle child) noexcept : child_(child) {}

    bool await_ready() const {
      if (!child_) throw error(errc::misuse, "co_await on an empty task: it was moved from or default-constructed");
      if (child_.done() || child_.promise().continuation) throw error(errc::misuse, "a task can be awaited only once");
      return false;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> parent) {
      detail::inherit(child_.promise().context(), parent);
      child_.promise().continuation = parent;
      detail::enter(parent, child_, *child_.promise().home, entry_);
    }
    T await_resume() { return child_.promise().take(); }

   private:
    handle child_;
    detail::resume_work entry_;
  };

  explicit task(handle coroutine) noexcept : handle_(coroutine) {}
  handle handle_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}
template <class T>
task<T&> task_promise<T&>::get_return_object() noexcept {
  return task<T&>(std::coroutine_handle<task_promise>::from_promise(*this));
}
inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
