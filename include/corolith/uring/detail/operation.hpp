// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/awaiter.hpp>
#include <corolith/coro/context.hpp>
#include <corolith/uring/detail/request.hpp>
#include <corolith/uring/io_loop.hpp>
#include <corolith/uring/op_options.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// The part of an awaiter that does not depend on what is awaited. The awaiting thread begins; a stop request may come
/// from any thread, and only posts; all else happens on the loop's thread. Whoever waits is resumed when the operation
/// has ended and no post of this object is left in the loop's queue.
class operation : public native_awaiter, private pending {
 public:
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    if (coro_context* context = corolith::detail::context_of(coroutine)) {
      begin(context->stop);
    } else {
      begin(std::stop_token());
    }
    return suspension_.settle();
  }

 protected:
  COROLITH_DECL operation(io_loop& on, op_options options) noexcept;
  COROLITH_DECL ~operation();

  request& details() noexcept { return what; }
  std::int32_t result() const noexcept { return result_; }

  /// How it failed; no error when it did not.
  COROLITH_DECL std::error_code failure() const noexcept;
  /// Throws it: `cancelled` after a stop request, else std::system_error with `name` in front.
  [[noreturn]] COROLITH_DECL void throw_failure(const char* name) const;

  /// Whether the operation goes on after this result, with details() changed to the rest.
  virtual bool advance(std::int32_t part) noexcept = 0;
  /// A result, or a failure, whose value nobody will see.
  virtual void dispose(std::int32_t unseen) noexcept = 0;

  /// To be called by await_resume.
  void resumed() noexcept { phase_.store(phase::resumed, std::memory_order_relaxed); }
  /// To be called by the destructor of the class that has the virtual functions.
  void abandon_if_begun() noexcept {
    const phase now = phase_.load(std::memory_order_acquire);
    if (now == phase::begun || now == phase::over) abandon();
  }

 private:
  enum class phase : std::uint8_t { fresh, begun, over, resumed };

  struct own_work : loop::work {
    operation* self = nullptr;
  };
  struct on_stop {
    operation* self;
    void operator()() const noexcept {
      self->stop_posted_ = true;
      self->loop_.post(self->stop_);
    }
  };

  COROLITH_DECL void begin(const std::stop_token& stop);
  COROLITH_DECL void start() noexcept;
  COROLITH_DECL void stop_arrived() noexcept;
  COROLITH_DECL void ended(std::int32_t outcome_of_part) noexcept override;
  COROLITH_DECL void finish() noexcept;
  COROLITH_DECL void abandon() noexcept;
  COROLITH_DECL void abandon_here() noexcept;

  io_loop& loop_;
  suspension suspension_;
  own_work start_;
  own_work stop_;
  std::int32_t result_ = 0;
  std::atomic<phase> phase_{phase::fresh};
  bool listed_ = false;       // the loop has it in its list, the backend works on it
  bool complete_ = false;     // result_ stands
  bool stop_posted_ = false;  // written by the stop callback, read after its end
  bool stop_ran_ = false;
  bool abandoned_ = false;
  bool gone_ = false;  // abandoned, and nothing is left of it anywhere
  std::optional<std::stop_callback<on_stop>> on_stop_;
};

/// Awaits an operation. Kind says what it is: `fill` (called where it stays), `advance`, `take` the value or
/// `dispose` of the result, `name`, `value`.
template <class Kind, bool Throws>
class op_awaiter final : public operation {
 public:
  op_awaiter(io_loop& on, Kind&& kind, op_options options) : operation(on, options), kind_(std::move(kind)) {
    kind_.fill(details());
  }
  ~op_awaiter() { abandon_if_begun(); }

  bool await_ready() const noexcept {
    if constexpr (requires { kind_.nothing_to_do(); }) return kind_.nothing_to_do();
    return false;
  }
  auto await_resume() {
    resumed();
    const bool failed = result() < 0;
    if (failed) kind_.dispose(result());
    if constexpr (Throws) {
      if (failed) throw_failure(Kind::name);
      return kind_.take(result());
    } else if constexpr (std::is_void_v<typename Kind::value>) {
      return failure();
    } else {
      return std::pair(failure(), failed ? typename Kind::value() : kind_.take(result()));
    }
  }

 private:
  bool advance(std::int32_t part) noexcept override { return kind_.advance(details(), part); }
  void dispose(std::int32_t unseen) noexcept override { kind_.dispose(unseen); }

  Kind kind_;
};

}  // namespace detail

/// An operation that starts when it is awaited, from a coroutine on any loop, which resumes at home. What it points to
/// (buffers, descriptors) must stay until then. A stop request on the awaiting task cancels it and throws `cancelled`,
/// unless it has ended before; a failure throws std::system_error, after a timeout with std::errc::timed_out.
///
/// A coroutine may be destroyed while it waits here: that cancels the operation and blocks until the kernel has let go
/// of the buffers. It must happen on the loop's thread or while the loop runs, and, as everywhere, not when the coroutine
/// may already be on its way to resume on another loop.
template <class Kind, bool Throws = true>
class [[nodiscard("the operation starts only when it is awaited")]] io_operation {
 public:
  io_operation(io_loop& on, Kind kind, op_options options) : loop_(&on), options_(options), kind_(std::move(kind)) {}

  detail::op_awaiter<Kind, Throws> operator co_await() && {
    return detail::op_awaiter<Kind, Throws>(*loop_, std::move(kind_), options_);
  }

  /// The same without exceptions: gives the std::error_code (std::errc::operation_canceled after a stop request), or
  /// where there is a value a std::pair of it and the value, which counts only without an error.
  io_operation<Kind, false> nothrow() && { return {*loop_, std::move(kind_), options_}; }

 private:
  io_loop* loop_;
  op_options options_;
  Kind kind_;
};

}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/operation.ipp>
#endif
