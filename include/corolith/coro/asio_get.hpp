// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/future.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/system_executor.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

template <class T>
struct asio_signature {
  static_assert(std::default_initializable<T>,
                "Asio's handlers get a value even with an error: T needs a default constructor");
  using type = void(std::exception_ptr, T);
};
template <>
struct asio_signature<void> {
  using type = void(std::exception_ptr);
};

/// Waits for a future on behalf of a completion handler, and destroys itself when it calls it. Every end goes through a
/// post to the handler's executor, where cancellation signals are emitted too.
template <class T, class Handler, class Executor>
class asio_get : waiter {
 public:
  static void start(std::shared_ptr<future_state<T>> state, Handler handler, const Executor& executor) {
    auto self = std::make_unique<asio_get>(std::move(state), std::move(handler), executor);
    self->notify = [](waiter* item) noexcept { static_cast<asio_get*>(item)->post_end(); };
    auto slot = asio::get_associated_cancellation_slot(self->handler_);
    if (slot.is_connected()) slot.assign(on_cancel{self.get()});
    asio_get* started = self.release();
    if (!started->state_->add_waiter(*started)) started->post_end();
  }

  asio_get(std::shared_ptr<future_state<T>> state, Handler handler, const Executor& executor)
      : state_(std::move(state)), handler_(std::move(handler)), guard_(executor) {}

 private:
  struct on_cancel {
    asio_get* self;
    void operator()(asio::cancellation_type) const noexcept {
      if (!self->state_->remove_waiter(*self)) return;
      self->cancelled_ = true;
      self->state_->cancel();
      self->post_end();
    }
  };

  void post_end() {
    auto executor = guard_.get_executor();
    asio::post(executor, [self = std::unique_ptr<asio_get>(this)]() mutable { end(std::move(self)); });
  }

  static void end(std::unique_ptr<asio_get> self) {
    auto slot = asio::get_associated_cancellation_slot(self->handler_);
    if (slot.is_connected()) slot.clear();
    result<T> outcome =
        self->cancelled_ ? result<T>(std::make_exception_ptr(cancelled())) : self->state_->take_result();
    Handler handler = std::move(self->handler_);
    auto guard = std::move(self->guard_);
    self.reset();
    if constexpr (std::is_void_v<T>) {
      std::move(handler)(outcome.error());
    } else if (outcome.has_value()) {
      std::move(handler)(std::exception_ptr(), std::move(outcome).value());
    } else {
      std::move(handler)(outcome.error(), T());
    }
  }

  std::shared_ptr<future_state<T>> state_;
  Handler handler_;
  asio::executor_work_guard<Executor> guard_;
  bool cancelled_ = false;
};

template <class T, class Handler, class Fallback>
void start_asio_get(std::shared_ptr<future_state<T>> state, Handler handler, const Fallback& fallback) {
  auto executor = asio::get_associated_executor(handler, fallback);
  asio_get<T, Handler, decltype(executor)>::start(std::move(state), std::move(handler), executor);
}

}  // namespace detail

/// Takes the value of a future through an Asio completion token, with signature void(std::exception_ptr, T) or, for
/// void, void(std::exception_ptr): `double d = co_await async_get(f, asio::use_awaitable)`. The handler runs on its
/// associated executor; a signal on its cancellation slot cancels the future and completes with `cancelled`.
template <class T, class Token>
auto async_get(const future<T>& awaited, Token&& token) {
  return asio::async_initiate<Token, typename detail::asio_signature<T>::type>(
      [](auto handler, std::shared_ptr<detail::future_state<T>> state) {
        detail::start_asio_get(std::move(state), std::move(handler), asio::system_executor());
      },
      token, awaited.shared());
}

template <class T>
template <class Token>
auto future<T>::async_get(Token&& token) {
  return corolith::async_get(*this, std::forward<Token>(token));
}

}  // namespace v0
}  // namespace corolith
