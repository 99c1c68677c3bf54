// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/detail/awaitable.hpp>
#include <corolith/coro/detail/suspension.hpp>

#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace corolith {
inline namespace v0 {

/// Completion token: `co_await socket.async_read_some(buffer, use_task)` in a task gives what the handler would get
/// after its error_code (nothing, the value, or a tuple), and throws std::system_error for an error. The task resumes
/// on its own loop. A stop request on the task cancels this one operation through its cancellation slot, on the
/// executor of the I/O object, and throws `cancelled`; operations whose initiation names no executor run to their end.
/// The operation starts when it is awaited.
struct use_task_t {};
inline constexpr use_task_t use_task{};

/// The same, but gives all of the handler's arguments as a tuple, the error_code included, and throws nothing.
struct use_task_as_tuple_t {};
inline constexpr use_task_as_tuple_t use_task_as_tuple{};

namespace detail {

/// What a task gets of the handler's arguments: all of them, or those after the error.
template <class... Args>
struct asio_outcome {
  static constexpr bool has_error = false;
  using values = std::tuple<Args...>;
};
template <class... Rest>
struct asio_outcome<asio::error_code, Rest...> {
  static constexpr bool has_error = true;
  using values = std::tuple<Rest...>;
};
template <class... Rest>
struct asio_outcome<std::exception_ptr, Rest...> {
  static constexpr bool has_error = true;
  using values = std::tuple<Rest...>;
};

/// Lets one operation be cancelled from its executor, and only while it is under way: its signal must not fire once the
/// I/O object may be gone.
class asio_cancellation {
 public:
  asio::cancellation_slot slot() noexcept { return signal_.slot(); }
  void finish() noexcept {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  void emit() {
    std::lock_guard lock(mutex_);
    if (!finished_) signal_.emit(asio::cancellation_type::all);
  }

 private:
  std::recursive_mutex mutex_;  // an operation may complete inside its cancellation
  bool finished_ = false;
  asio::cancellation_signal signal_;
};

/// The completion handler. When Asio destroys it uncalled, the task still resumes.
template <class Awaiter>
class asio_handler {
 public:
  using cancellation_slot_type = asio::cancellation_slot;

  asio_handler(Awaiter& awaiter, std::shared_ptr<asio_cancellation> cancellation) noexcept
      : awaiter_(&awaiter), cancellation_(std::move(cancellation)) {}
  asio_handler(asio_handler&& other) noexcept
      : awaiter_(std::exchange(other.awaiter_, nullptr)), cancellation_(std::move(other.cancellation_)) {}
  asio_handler& operator=(asio_handler&& other) noexcept {
    std::swap(awaiter_, other.awaiter_);
    cancellation_.swap(other.cancellation_);
    return *this;
  }
  ~asio_handler() {
    if (awaiter_ != nullptr) release().abandon();
  }

  cancellation_slot_type get_cancellation_slot() const noexcept {
    return cancellation_ ? cancellation_->slot() : cancellation_slot_type();
  }

  template <class... Args>
  void operator()(Args&&... args) {
    release().complete(std::forward<Args>(args)...);
  }

 private:
  Awaiter& release() noexcept {
    if (cancellation_) cancellation_->finish();
    return *std::exchange(awaiter_, nullptr);
  }

  Awaiter* awaiter_;
  std::shared_ptr<asio_cancellation> cancellation_;
};

template <bool AsTuple, class Initiation, class InitArgs, class... Args>
class asio_awaiter : public native_awaiter {
 public:
  using arguments = std::tuple<Args...>;
  using outcome = asio_outcome<Args...>;

  asio_awaiter(Initiation&& initiation, InitArgs&& init_args)
      : initiation_(std::move(initiation)), init_args_(std::move(init_args)) {}
  asio_awaiter(const asio_awaiter&) = delete;
  asio_awaiter& operator=(const asio_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    suspension_.prepare(coroutine);
    std::stop_token stop;
    if constexpr (cancellable) {
      if (coro_context* context = context_of(coroutine)) stop = context->stop;
      if (stop.stop_possible()) {
        executor_.emplace(initiation_.get_executor());
        cancellation_ = std::make_shared<asio_cancellation>();
      }
    }
    std::apply(
        [this](auto&... args) {
          std::move(initiation_)(asio_handler<asio_awaiter>(*this, cancellation_), std::move(args)...);
        },
        init_args_);
    // Only now, as a cancellation must not meet the initiation.
    if (cancellation_) on_stop_.emplace(std::move(stop), on_stop{this});
    return suspension_.settle();
  }

  auto await_resume() {
    on_stop_.reset();
    if (failure_) std::rethrow_exception(std::move(failure_));
    if constexpr (AsTuple) {
      return std::move(*arguments_);
    } else {
      if constexpr (outcome::has_error) throw_error(std::get<0>(*arguments_));
      return values(std::make_index_sequence<std::tuple_size_v<typename outcome::values>>());
    }
  }

  template <class... Given>
  void complete(Given&&... given) noexcept {
    try {
      arguments_.emplace(std::forward<Given>(given)...);
    } catch (...) {
      failure_ = std::current_exception();
    }
    suspension_.fire();
  }

  void abandon() noexcept {
    failure_ = std::make_exception_ptr(error(errc::closed, "the Asio context dropped the operation"));
    suspension_.fire();
  }

 private:
  static constexpr bool cancellable = requires(const Initiation& i) {
    typename Initiation::executor_type;
    i.get_executor();
  };

  template <class I>
  struct executor_of {
    using type = std::monostate;
  };
  template <class I>
    requires requires { typename I::executor_type; }
  struct executor_of<I> {
    using type = typename I::executor_type;
  };

  struct on_stop {
    asio_awaiter* self;
    void operator()() const noexcept {
      self->stopped_ = true;
      if constexpr (cancellable) {
        try {
          asio::post(*self->executor_, [cancellation = self->cancellation_] { cancellation->emit(); });
        } catch (...) {  // no memory: the operation runs to its end
        }
      }
    }
  };

  void throw_error(const asio::error_code& failure) const {
    if (!failure) return;
    if (stopped_ && failure == asio::error::operation_aborted)
      throw cancelled("cancelled: the task was asked to stop during an Asio operation");
    throw std::system_error(failure);
  }
  void throw_error(const std::exception_ptr& failure) const {
    if (failure) std::rethrow_exception(failure);
  }

  template <std::size_t... I>
  auto values(std::index_sequence<I...>) {
    constexpr std::size_t first = outcome::has_error ? 1 : 0;
    if constexpr (sizeof...(I) == 1) {
      return std::get<first>(std::move(*arguments_));
    } else if constexpr (sizeof...(I) > 1) {
      return typename outcome::values(std::get<I + first>(std::move(*arguments_))...);
    }
  }

  Initiation initiation_;
  InitArgs init_args_;
  suspension suspension_;
  std::optional<arguments> arguments_;
  std::exception_ptr failure_;
  bool stopped_ = false;
  std::optional<typename executor_of<Initiation>::type> executor_;
  std::shared_ptr<asio_cancellation> cancellation_;
  std::optional<std::stop_callback<on_stop>> on_stop_;
};

/// An Asio operation that starts when it is awaited.
template <bool AsTuple, class Initiation, class InitArgs, class... Args>
class [[nodiscard("the operation starts only when it is awaited")]] asio_operation {
 public:
  asio_operation(Initiation initiation, InitArgs init_args)
      : initiation_(std::move(initiation)), init_args_(std::move(init_args)) {}

  auto operator co_await() && {
    return asio_awaiter<AsTuple, Initiation, InitArgs, Args...>(std::move(initiation_), std::move(init_args_));
  }

 private:
  Initiation initiation_;
  InitArgs init_args_;
};

template <bool AsTuple, class... Args>
struct asio_result {
  template <class Initiation, class Token, class... InitArgs>
  static auto initiate(Initiation initiation, Token&&, InitArgs... init_args) {
    return asio_operation<AsTuple, Initiation, std::tuple<InitArgs...>, std::decay_t<Args>...>(
        std::move(initiation), std::tuple<InitArgs...>(std::move(init_args)...));
  }
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

template <class R, class... Args>
class asio::async_result<corolith::use_task_t, R(Args...)> : public corolith::detail::asio_result<false, Args...> {};

template <class R, class... Args>
class asio::async_result<corolith::use_task_as_tuple_t, R(Args...)>
    : public corolith::detail::asio_result<true, Args...> {};
