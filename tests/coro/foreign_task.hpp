// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <exception>
#include <future>
#include <optional>
#include <thread>
#include <utility>

// A coroutine library that knows nothing of corolith: lazy tasks with plain symmetric transfer, a blocking wait, and an
// awaitable that resumes whoever awaits it on a thread of its own.
namespace foreign {

template <class T>
class lazy {
 public:
  struct promise_type {
    std::coroutine_handle<> continuation;
    std::optional<T> value;
    std::exception_ptr error;

    lazy get_return_object() { return lazy(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct finish {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        return self.promise().continuation ? self.promise().continuation : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    finish final_suspend() noexcept { return {}; }
    void return_value(T given) { value = std::move(given); }
    void unhandled_exception() { error = std::current_exception(); }
  };

  lazy(lazy&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  lazy& operator=(lazy&&) = delete;
  ~lazy() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return std::move(*handle_.promise().value);
  }

 private:
  explicit lazy(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

struct forget {
  struct promise_type {
    forget get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
};

template <class T>
forget drive(lazy<T> work, std::promise<T> outcome) {
  std::optional<T> value;
  std::exception_ptr error;
  try {
    value = co_await std::move(work);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    outcome.set_exception(error);
  } else {
    outcome.set_value(std::move(*value));
  }
}

/// Starts on the calling thread, and blocks it until the end, wherever that is.
template <class T>
T wait(lazy<T> work) {
  std::promise<T> outcome;
  std::future<T> ended = outcome.get_future();
  drive(std::move(work), std::move(outcome));
  return ended.get();
}

/// co_await gives the id of the new thread on which it resumed the awaiting coroutine.
struct new_thread {
  std::thread::id resumed_on{};
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) {
    std::thread([this, awaiting] {
      resumed_on = std::this_thread::get_id();
      awaiting.resume();
    }).detach();
  }
  std::thread::id await_resume() const noexcept { return resumed_on; }
};

}  // namespace foreign
