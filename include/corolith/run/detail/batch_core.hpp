// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/coro/awaiter.hpp>
#include <corolith/coro/context.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/detail/block_builder.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

class batch_core;

/// Gives the encoded elements of a lazy range, on the background loop.
class input_source {
 public:
  virtual ~input_source() = default;
  /// Adds up to `count` elements to the builder of `into`, rather fewer than holding them back for others that take their time;
  /// false when there are no more.
  virtual task<bool> pull(std::uint32_t count, batch_core& into) = 0;
};

/// What a batch is, whatever the type of its results: outcomes arrive from the backend on its I/O thread and wait here until the
/// consumer, one at a time, takes them. Thread-safe.
class batch_core : public batch_link, public std::enable_shared_from_this<batch_core> {
 public:
  explicit batch_core(std::shared_ptr<backend> where) : backend_(std::move(where)) {}
  COROLITH_DECL ~batch_core() override;

  /// Opens the batch; with a source it is fed as the backend asks.
  COROLITH_DECL void open(batch_request request, std::unique_ptr<input_source> source);
  COROLITH_DECL void feed(element_block block, bool last);
  std::uint64_t id() const noexcept { return id_; }

  // The input's side, on the background loop.
  block_builder& builder() noexcept { return builder_; }
  /// Feeds what is in the builder once the loop has nothing better to do: that is, when the input waits for something.
  COROLITH_DECL void feed_when_idle();

  // The backend's side.
  COROLITH_DECL void want_input(std::uint32_t count) noexcept override;
  COROLITH_DECL void finished(call_outcome&& outcome) noexcept override;
  COROLITH_DECL void settle(bool done) noexcept override;
  COROLITH_DECL void abandoned(std::exception_ptr reason) noexcept override;

  // The consumer's side.
  /// The next outcome in order of completion; nothing when the batch is over. Throws what the batch was abandoned for. To be
  /// called when `ready`.
  COROLITH_DECL std::optional<call_outcome> take();
  /// Whether `take` has something to say. With `enough`, only when so many outcomes are there, or a failure among them, or no
  /// more will come.
  COROLITH_DECL bool ready(std::size_t enough = 1);
  /// Whether every outcome was taken and no more will come.
  COROLITH_DECL bool over();
  /// Throws `cancelled` for a batch that was cancelled before all its elements were known: its results would seem complete.
  COROLITH_DECL void check_complete();
  COROLITH_DECL void cancel() noexcept;
  COROLITH_DECL void cancel_call(std::uint32_t index) noexcept;
  /// Outcomes that arrived so far, taken or not.
  COROLITH_DECL std::uint64_t arrived();

  /// The waiting consumer is `fire`d once, when `ready(enough)`. False: it is ready now, and nothing was registered.
  COROLITH_DECL bool park(suspension& consumer, std::size_t enough);
  /// True: `consumer` was registered, is so no more and will not be fired.
  COROLITH_DECL bool unpark(suspension& consumer);

 private:
  COROLITH_DECL bool ready_locked(std::size_t enough) const noexcept;
  COROLITH_DECL void wake_if_ready(std::unique_lock<std::mutex> lock);
  COROLITH_DECL static task<void> feed_wanted(std::shared_ptr<batch_core> self);
  COROLITH_DECL void start_feeding();
  COROLITH_DECL void stop_input() noexcept;

  const std::shared_ptr<backend> backend_;
  std::uint64_t id_ = 0;
  std::mutex mutex_;
  std::deque<call_outcome> outcomes_;
  std::size_t failures_ = 0;  // of `outcomes_`: the consumer is to hear of one at once
  std::uint64_t arrived_ = 0;
  bool done_ = false;
  std::exception_ptr abandoned_;
  suspension* consumer_ = nullptr;
  std::size_t enough_ = 1;
  std::uint32_t consumed_ = 0;  // taken and not yet reported to the backend
  bool lazy_ = false;
  std::uint64_t fed_ = 0;  // elements
  bool all_fed_ = false;

  // Input: used on the background loop, but for `wanted_` and `feeding_`, which the mutex guards.
  std::unique_ptr<input_source> source_;
  std::stop_source stop_{std::nostopstate};  // for an input that waits while nobody wants it any more
  block_builder builder_;
  bool feed_posted_ = false;
  std::uint32_t wanted_ = 0;
  bool feeding_ = false;
};

/// Waits until a batch is ready. A stop request on the awaiting task cancels the batch and throws `cancelled`.
class batch_awaiter : public native_awaiter {
 public:
  batch_awaiter(batch_core& batch, std::size_t enough) noexcept : batch_(batch), enough_(enough) {}
  batch_awaiter(const batch_awaiter&) = delete;
  batch_awaiter& operator=(const batch_awaiter&) = delete;

  bool await_ready() { return batch_.ready(enough_); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    if (!batch_.park(suspension_, enough_)) return false;
    if (coro_context* context = context_of(coroutine); context != nullptr && context->stop.stop_possible()) {
      token_ = context->stop;
      callback_.emplace(token_, on_stop{this});
    }
    return suspension_.settle();
  }
  void await_resume() {
    callback_.reset();
    if (!token_.stop_requested()) return;
    batch_.cancel();
    throw cancelled("the task that awaited a batch was asked to stop");
  }

 private:
  struct on_stop {
    batch_awaiter* self;
    void operator()() const noexcept {
      if (self->batch_.unpark(self->suspension_)) self->suspension_.fire();
    }
  };

  batch_core& batch_;
  std::size_t enough_;
  suspension suspension_;
  std::stop_token token_;
  std::optional<std::stop_callback<on_stop>> callback_;
};

/// `co_await batch_ready{batch, n}`. It hands out its awaiter, as g++ 12 would copy an awaiter that is awaited directly.
struct batch_ready {
  batch_core& batch;
  std::size_t enough;
  batch_awaiter operator co_await() const noexcept { return batch_awaiter(batch, enough); }
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/batch_core.ipp>
#endif
