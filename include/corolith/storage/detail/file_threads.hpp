// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/coro/awaiter.hpp>
#include <corolith/coro/context.hpp>
#include <corolith/coro/result.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace corolith::inline v0::storage::detail {

/// Something for a thread that may block: opening, listing and renaming block on every file system, and so does what is not in memory.
struct file_job {
  file_job* next = nullptr;
  void (*run)(file_job*) noexcept = nullptr;
};

/// Runs the job on one of the process's file threads, of which there are as many as jobs, up to a bound. Jobs that wait when the process
/// ends never run. Thread-safe.
COROLITH_DECL void submit(file_job& job);

template <class F>
class file_awaiter : public native_awaiter {
 public:
  using value_type = std::invoke_result_t<F&, const std::stop_token&>;

  explicit file_awaiter(F&& act) : act_(std::move(act)) {}
  file_awaiter(const file_awaiter&) = delete;
  file_awaiter& operator=(const file_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    if (coro_context* context = corolith::detail::context_of(coroutine)) stop_ = context->stop;
    job_.self = this;
    job_.run = [](file_job* job) noexcept { static_cast<own_job*>(job)->self->run(); };
    submit(job_);
    return suspension_.settle();
  }
  value_type await_resume() { return std::move(*outcome_).value(); }

 private:
  struct own_job : file_job {
    file_awaiter* self = nullptr;
  };

  void run() noexcept {
    try {
      if (stop_.stop_requested()) throw cancelled("cancelled: the task was asked to stop before it used a file");
      if constexpr (std::is_void_v<value_type>) {
        act_(stop_);
        outcome_.emplace();
      } else {
        outcome_.emplace(std::in_place, act_(stop_));
      }
    } catch (...) {
      outcome_.emplace(std::current_exception());
    }
    suspension_.fire();
  }

  F act_;
  std::stop_token stop_;
  own_job job_;
  suspension suspension_;
  std::optional<result<value_type>> outcome_;
};

template <class F>
class [[nodiscard]] file_operation {
 public:
  explicit file_operation(F act) : act_(std::move(act)) {}
  file_awaiter<F> operator co_await() && { return file_awaiter<F>(std::move(act_)); }

 private:
  F act_;
};

/// `co_await on_file_thread(f)`: runs f(stop_token) on a file thread and gives what it returns or throws. `f` looks at the token, the
/// awaiting task's, between steps.
template <class F>
file_operation<F> on_file_thread(F act) {
  return file_operation<F>(std::move(act));
}

}  // namespace corolith::inline v0::storage::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/file_threads.ipp>
#endif
