// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/future_awaiter.hpp>
#include <corolith/coro/detail/future_state.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace corolith {
inline namespace v0 {

/// A value that will be there, made elsewhere: by a remote call, by another thread through a `promise`, by a task that
/// was `start`ed. Await it from any coroutine type, or block on `get`. A corolith task resumes on its home loop, any
/// other coroutine on `background_loop()`; neither ever on the thread that completes the future. The value can be taken
/// once, by one consumer. Letting go of a future does not cancel what makes it.
template <class T>
class [[nodiscard]] future {
 public:
  using value_type = T;
  using state_type = detail::future_state<T>;

  future() noexcept = default;
  explicit future(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}

  /// Whether it belongs to a promise. The other members but `cancel` throw errc::misuse when not.
  bool valid() const noexcept { return state_ != nullptr; }
  call_state state() const { return checked().state(); }
  /// Whether `get` would not block.
  bool ready() const { return checked().complete(); }

  /// Asks the producer to give up. The future then completes as cancelled, or with what was faster. Any thread.
  void cancel() noexcept {
    if (state_) state_->cancel();
  }

  /// Blocks the thread until complete. Inside a coroutine use co_await: this would block the whole loop.
  void wait() const { detail::block_on(checked()); }
  /// Blocks at most that long. True when complete.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> timeout) const {
    return detail::block_on(checked(), detail::deadline_after(timeout));
  }
  /// Blocks until complete and takes the value, or throws.
  T get() {
    wait();
    return state_->take();
  }

  /// Host, pid, attempt and times of the call behind it. Constant once it is complete; before that, not to be read.
  const call_stats& stats() const { return checked().stats; }

  /// A stop request on the awaiting task cancels the future and throws `cancelled` there at once.
  auto operator co_await() const { return detail::future_awaiter<T>(shared()); }

  /// Takes the value through an Asio completion token, for example `co_await f.async_get(asio::use_awaitable)`; the
  /// handler runs on its associated executor. Needs <corolith/coro/asio.hpp>.
  template <class Token>
  auto async_get(Token&& token);

  const std::shared_ptr<state_type>& shared() const {
    checked();
    return state_;
  }

 private:
  state_type& checked() const {
    if (!state_) throw error(errc::misuse, "this future is empty: it was moved from or default-constructed");
    return *state_;
  }

  std::shared_ptr<state_type> state_;
};

/// `co_await as_result(f)` gives a `result<T>`: the value, or the exception instead of throwing it.
template <class T>
detail::future_as_result<T> as_result(const future<T>& awaited) {
  return detail::future_as_result<T>(awaited.shared());
}

/// The producer's end of a future. Complete it once, from any thread; later completions are ignored, as the future may
/// have been cancelled meanwhile. A promise that is dropped unset completes its future with errc::broken_promise.
template <class T>
class promise {
 public:
  using state_type = detail::future_state<T>;

  promise() : state_(std::make_shared<state_type>()) {}
  explicit promise(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}
  promise(promise&&) noexcept = default;
  promise& operator=(promise&& other) noexcept {
    promise dropped(std::move(other));
    state_.swap(dropped.state_);
    return *this;
  }
  ~promise() {
    if (state_ && !state_->complete())
      state_->set_exception(
          std::make_exception_ptr(error(errc::broken_promise, "the promise was dropped without a value")));
  }

  /// To be called once: a future has one consumer.
  future<T> get_future() const { return future<T>(state_); }

  /// Each returns false when the future was complete already.
  template <class... Args>
  bool set_value(Args&&... args) {
    return state_->set_value(std::forward<Args>(args)...);
  }
  bool set_exception(std::exception_ptr error) noexcept { return state_->set_exception(std::move(error)); }
  bool set_cancelled() { return state_->set_cancelled(); }

  void mark_running() noexcept { state_->mark_running(); }
  /// What `future::cancel` calls, once, on the cancelling thread; it must complete the promise in the end. Without a
  /// hook, cancel completes the future as cancelled.
  void set_on_cancel(std::function<void()> hook) { state_->set_on_cancel(std::move(hook)); }
  /// To be filled in before completing.
  call_stats& stats() noexcept { return state_->stats; }

 private:
  std::shared_ptr<state_type> state_;
};

}  // namespace v0
}  // namespace corolith
