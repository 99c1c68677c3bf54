// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/detail/root.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/task.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Runs `work` to its end, its frame's destruction included.
template <class T>
task<result<T>> finish(task<T> work) {
  std::optional<result<T>> outcome;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
      outcome.emplace(std::in_place);
    } else {
      outcome.emplace(std::in_place, co_await std::move(work));
    }
  } catch (...) {
    outcome.emplace(std::current_exception());
  }
  work = {};
  co_return std::move(*outcome);
}

inline detached run_detached(task<void> work) {
  loop& home = co_await this_loop();
  result<void> outcome = co_await finish(std::move(work));
  try {
    outcome.value();
  } catch (const cancelled&) {
  } catch (...) {
    log_escaped("a spawned task");
  }
  home.work_finished();
}

/// The future of a started task: a cancel asks the task to stop.
template <class T>
class started_state final : public future_state<T> {
 public:
  explicit started_state(std::stop_token outer) {
    if (outer.stop_possible()) outer_.emplace(std::move(outer), forward{this});
  }
  std::stop_token token() const noexcept { return source_.get_token(); }

  void finish_with(result<T> outcome) {
    outer_.reset();
    try {
      if constexpr (std::is_void_v<T>) {
        outcome.value();
        this->set_value();
      } else {
        this->set_value(std::move(outcome).value());
      }
    } catch (const cancelled&) {
      this->set_exception(std::current_exception(), call_state::cancelled);
    } catch (...) {
      this->set_exception(std::current_exception());
    }
  }

 protected:
  void request_cancel() noexcept override { source_.request_stop(); }

 private:
  struct forward {
    started_state* self;
    void operator()() const noexcept { self->source_.request_stop(); }
  };
  std::stop_source source_;
  std::optional<std::stop_callback<forward>> outer_;
};

// Leaves the loop before the future completes: who waited for it may destroy the loop then.
template <class T>
detached run_started(task<T> work, std::shared_ptr<started_state<T>> state) {
  loop& home = co_await this_loop();
  std::optional<result<T>> outcome;
  if (state->token().stop_requested()) {
    work = {};
    outcome.emplace(std::make_exception_ptr(cancelled("cancelled before it started")));
  } else {
    state->mark_running();
    outcome.emplace(co_await finish(std::move(work)));
  }
  home.work_finished();
  state->finish_with(std::move(*outcome));
}

}  // namespace detail

/// Starts a task on `home` that nobody waits for. An exception that escapes it is logged, `cancelled` is not. A stop
/// request on `stop` asks it to stop. Any thread.
inline void spawn(loop& home, task<void> work, std::stop_token stop = {}) {
  detail::run_detached(std::move(work)).start(home, std::move(stop));
}

/// Starts a task on `home`. A stop request on `stop`, and `cancel()` on the future, ask the task to stop; the future
/// completes when the task has ended and its frame is gone. Any thread.
template <class T>
future<T> start(loop& home, task<T> work, std::stop_token stop = {}) {
  auto state = std::make_shared<detail::started_state<T>>(std::move(stop));
  detail::run_started(std::move(work), state).start(home, state->token());
  return future<T>(std::move(state));
}

}  // namespace v0
}  // namespace corolith
