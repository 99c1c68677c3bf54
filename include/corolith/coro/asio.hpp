// SPDX-License-Identifier: Apache-2.0
#pragma once

// Corolith's coroutines and Asio, both ways: Asio operations inside a task (use_task), tasks on an Asio executor
// (asio_loop, co_spawn_task), futures inside Asio's own coroutines and callbacks (async_get).
#include <corolith/coro/asio_get.hpp>
#include <corolith/coro/asio_loop.hpp>
#include <corolith/coro/asio_operation.hpp>
#include <corolith/coro/spawn.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>

#include <utility>

namespace corolith {
inline namespace v0 {

/// Runs a task on an Asio executor and hands its outcome to a completion token, with signature void(std::exception_ptr,
/// T) or, for void, void(std::exception_ptr). Everything in the task resumes on that executor, one step at a time. A
/// signal on the handler's cancellation slot asks the task to stop.
template <class T, class Token>
auto co_spawn_task(asio::any_io_executor executor, task<T> work, Token&& token) {
  return asio::async_initiate<Token, typename detail::asio_signature<T>::type>(
      [](auto handler, asio::any_io_executor on, task<T> begun) {
        future<T> ended = start(asio_loop::make_self_owned(on), std::move(begun));
        detail::start_asio_get(ended.shared(), std::move(handler), on);
      },
      token, std::move(executor), std::move(work));
}

}  // namespace v0
}  // namespace corolith
