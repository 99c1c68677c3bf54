// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/call_stats.hpp>
#include <corolith/core/error.hpp>
#include <corolith/coro/result.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace corolith {
inline namespace v0 {

/// The life of a future.
enum class call_state : unsigned char {
  pending,    ///< not started
  running,    ///< its work has started
  done,       ///< a value is there
  failed,     ///< an exception is there
  cancelled,  ///< it was cancelled before there was a value
};

namespace detail {

/// Who wants to know that a future is complete. `notify` is called once, on the thread that completes it; the waiter
/// may be gone when it returns.
struct waiter {
  waiter* next = nullptr;
  void (*notify)(waiter*) noexcept = nullptr;
};

/// What a promise and its future share, but for the value. All members may be called from any thread unless they say
/// otherwise.
class future_state_base {
 public:
  future_state_base() = default;
  future_state_base(const future_state_base&) = delete;
  future_state_base& operator=(const future_state_base&) = delete;
  virtual ~future_state_base() = default;

  call_state state() const noexcept { return state_.load(std::memory_order_acquire); }
  bool complete() const noexcept { return state() >= call_state::done; }

  /// The work has started. Without effect on a complete future.
  void mark_running() noexcept {
    call_state expected = call_state::pending;
    state_.compare_exchange_strong(expected, call_state::running, std::memory_order_acq_rel);
  }

  /// Completes without a value. False when it was complete already.
  bool set_exception(std::exception_ptr error, call_state as = call_state::failed) noexcept {
    if (!claim()) return false;
    error_ = std::move(error);
    publish(as);
    return true;
  }
  bool set_cancelled() { return set_exception(std::make_exception_ptr(cancelled()), call_state::cancelled); }

  /// Passes on the consumer's wish; without effect on a complete future.
  void cancel() noexcept {
    if (!complete()) request_cancel();
  }

  /// Sets what a cancel calls, once, on the thread that cancels; it must complete the state in the end. When a cancel
  /// came before, it is called here. Without one, a cancel completes the state as cancelled.
  void set_on_cancel(std::function<void()> hook) {
    {
      std::lock_guard lock(mutex_);
      if (complete()) return;
      if (!cancel_requested_) {
        on_cancel = std::move(hook);
        return;
      }
    }
    hook();
  }

  /// Adds a waiter; false (and no notification) when the state is complete already.
  bool add_waiter(waiter& added) noexcept {
    std::lock_guard lock(mutex_);
    if (complete()) return false;
    added.next = waiters_;
    waiters_ = &added;
    return true;
  }
  /// True: it will not be notified. False: it was, or is just being.
  bool remove_waiter(waiter& removed) noexcept {
    std::lock_guard lock(mutex_);
    for (waiter** link = &waiters_; *link != nullptr; link = &(*link)->next) {
      if (*link != &removed) continue;
      *link = removed.next;
      return true;
    }
    return false;
  }

  std::function<void()> on_cancel;  ///< may be set directly as long as the state is not shared
  call_stats stats;                 ///< the producer's until the state is complete, constant then

 protected:
  /// What `cancel` does to an incomplete state.
  virtual void request_cancel() noexcept {
    std::function<void()> hook;
    bool first;
    {
      std::lock_guard lock(mutex_);
      first = !std::exchange(cancel_requested_, true);
      hook.swap(on_cancel);
    }
    try {
      if (hook) {
        hook();
      } else if (first) {
        set_cancelled();
      }
    } catch (...) {
      set_exception(std::current_exception());
    }
  }

  /// Gives the right to complete, to one caller only.
  bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_acq_rel); }

  /// Makes the state complete and notifies. The value or error is in place.
  void publish(call_state as) noexcept {
    waiter* waiting;
    std::function<void()> unused;
    {
      std::lock_guard lock(mutex_);
      state_.store(as, std::memory_order_release);
      waiting = std::exchange(waiters_, nullptr);
      unused.swap(on_cancel);
    }
    while (waiting != nullptr) {
      waiter* next = waiting->next;
      waiting->notify(waiting);
      waiting = next;
    }
  }

  std::exception_ptr error_;

 private:
  std::atomic<call_state> state_{call_state::pending};
  std::atomic<bool> claimed_{false};
  bool cancel_requested_ = false;
  std::mutex mutex_;
  waiter* waiters_ = nullptr;
};

template <class T>
class future_state : public future_state_base {
  static_assert(!std::is_reference_v<T>, "a future owns its value: use a pointer or std::reference_wrapper");
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  /// Completes with a value made of `args`; when making it throws, with that exception. False when it was complete
  /// already.
  template <class... Args>
  bool set_value(Args&&... args) {
    if (!claim()) return false;
    call_state as = call_state::done;
    try {
      value_.emplace(std::forward<Args>(args)...);
    } catch (...) {
      error_ = std::current_exception();
      as = call_state::failed;
    }
    publish(as);
    return true;
  }

  /// Completes as done without a value yet: `materialise` will make it.
  bool set_raw() noexcept {
    if (!claim()) return false;
    publish(call_state::done);
    return true;
  }

  /// The consumer's, once, when complete: the value, or throws.
  T take() {
    prepare();
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }
  result<T> take_result() noexcept(std::is_void_v<T> || std::is_nothrow_move_constructible_v<T>) {
    try {
      prepare();
    } catch (...) {
      return result<T>(std::current_exception());
    }
    if (error_) return result<T>(error_);
    return result<T>(std::in_place, std::move(*value_));
  }

 protected:
  /// Called once, on the consumer's thread, before the value of a done state is read; puts it into `value_`. What it
  /// throws becomes the future's exception.
  virtual void materialise() {
    if constexpr (std::is_void_v<T>) value_.emplace();
  }

  std::optional<stored> value_;

 private:
  void prepare() {
    if (std::exchange(taken_, true)) throw error(errc::misuse, "the value of this future was taken already");
    if (error_) return;
    try {
      materialise();
      if (!value_) throw error(errc::misuse, "the future is done but holds no value");
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  bool taken_ = false;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
