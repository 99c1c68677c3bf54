// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_any.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {

/// How many of a set of futures have to be complete.
class when {
 public:
  static const when all;
  static const when any;
  /// The given part, rounded up: `when::fraction(0.2)` of 9 are 2. Throws errc::misuse outside of 0 to 1.
  static when fraction(double part) {
    if (!(part >= 0 && part <= 1)) throw error(errc::misuse, "when::fraction: the part must be from 0 to 1");
    return when(part, 0);
  }

  std::size_t count(std::size_t of) const noexcept {
    const auto share = static_cast<std::size_t>(std::ceil(part_ * static_cast<double>(of) - 1e-9));
    return std::min(of, std::max(share, least_));
  }

 private:
  constexpr when(double part, std::size_t least) noexcept : part_(part), least_(least) {}
  double part_;
  std::size_t least_;
};
inline constexpr when when::all{1.0, 0};
inline constexpr when when::any{0.0, 1};

/// Which futures were complete when `wait` returned, by their index.
struct wait_result {
  std::vector<std::size_t> done;
  std::vector<std::size_t> pending;
};

namespace detail {

/// Waits until `needed` of some futures are complete. What futures notify is shared with the awaiter, as a notification may be
/// under way on another thread when the awaiter goes.
class count_awaiter : public native_awaiter {
 public:
  count_awaiter(std::vector<future_state_base*> futures, std::size_t needed)
      : futures_(std::move(futures)), shared_(std::make_shared<counter>()) {
    shared_->missing = needed;
  }
  count_awaiter(const count_awaiter&) = delete;
  count_awaiter& operator=(const count_awaiter&) = delete;

  bool await_ready() const noexcept { return complete_now() >= shared_->missing; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    shared_->waiting = &suspension_;
    nodes_.reserve(futures_.size());
    for (future_state_base* each : futures_) {
      auto made = std::make_unique<node>();
      made->keeper = shared_;
      made->notify = &notified;
      // Whoever takes the node off the future's list owns it: the notification, or `await_resume`.
      if (each->add_waiter(*made))
        nodes_.emplace_back(each, made.release());
      else
        shared_->one_more();
    }
    if (coro_context* context = context_of(coroutine); context != nullptr && context->stop.stop_possible())
      callback_.emplace(context->stop, on_stop{shared_.get()});
    return suspension_.settle();
  }

  void await_resume() {
    callback_.reset();
    for (auto& [future, added] : nodes_)
      if (future->remove_waiter(*added)) delete added;
    if (shared_->stopped) throw cancelled("the task that waited for futures was asked to stop");
  }

 private:
  struct counter {
    std::mutex mutex;
    std::size_t missing = 0;
    bool stopped = false;
    suspension* waiting = nullptr;

    void one_more() { release(false); }
    void release(bool stop) {
      suspension* wake = nullptr;
      {
        std::lock_guard lock(mutex);
        if (waiting == nullptr) return;
        if (stop)
          stopped = true;
        else if (--missing != 0)
          return;
        wake = std::exchange(waiting, nullptr);
      }
      wake->fire();
    }
  };
  struct node : waiter {
    std::shared_ptr<counter> keeper;
  };
  struct on_stop {
    counter* shared;
    void operator()() const noexcept { shared->release(true); }
  };

  static void notified(waiter* item) noexcept {
    const std::unique_ptr<node> owned(static_cast<node*>(item));
    owned->keeper->one_more();
  }
  std::size_t complete_now() const noexcept {
    std::size_t count = 0;
    for (const future_state_base* each : futures_) count += each->complete();
    return count;
  }

  std::vector<future_state_base*> futures_;
  std::shared_ptr<counter> shared_;
  suspension suspension_;
  std::vector<std::pair<future_state_base*, node*>> nodes_;
  std::optional<std::stop_callback<on_stop>> callback_;
};

// What is awaited hands out its awaiter, as g++ 12 would copy an awaiter that is awaited directly. It has a constructor, as g++ 12
// destroys twice what a braced aggregate inside a co_await expression holds.
class enough_of {
 public:
  enough_of(std::vector<future_state_base*> futures, std::size_t needed)
      : futures_(std::move(futures)), needed_(needed) {}
  count_awaiter operator co_await() const { return count_awaiter(futures_, needed_); }

 private:
  std::vector<future_state_base*> futures_;
  std::size_t needed_;
};

}  // namespace detail

/// Waits until enough of `futures` are complete (with a value or an error; neither is taken), or until the timeout. The futures must
/// stay where they are meanwhile. A stop request on the awaiting task throws `cancelled`; the futures themselves go on.
template <class T>
task<wait_result> wait(const std::vector<future<T>>& futures, when condition = when::all,
                       std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
  std::vector<detail::future_state_base*> states;
  for (const future<T>& each : futures) states.push_back(each.shared().get());
  const std::size_t needed = condition.count(states.size());
  if (needed != 0) {
    if (timeout) {
      co_await when_any(detail::enough_of(states, needed), sleep_for(*timeout));
    } else {
      co_await detail::enough_of(states, needed);
    }
  }
  wait_result outcome;
  for (std::size_t i = 0; i < states.size(); ++i) (states[i]->complete() ? outcome.done : outcome.pending).push_back(i);
  co_return outcome;
}

}  // namespace v0
}  // namespace corolith
