// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker_context.hpp>
#include <corolith/codec/function.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/run/batch.hpp>

#include <stop_token>
#include <utility>
#include <vector>

// What a worker does with a result that is not there yet: it waits for it, so that the caller's future holds the plain value.
namespace corolith::inline v0 {
namespace detail {

inline std::stop_token call_stop_token() noexcept {
  const agent::current_call* call = agent::current();
  return call != nullptr ? call->stop : std::stop_token();
}

}  // namespace detail

/// A remote function that is a coroutine: it runs to its end on the worker's thread; its stop token is the call's.
template <class T>
struct codec::result_adapter<task<T>> {
  using type = T;
  static T resolve(task<T>&& work) { return sync_wait(std::move(work), corolith::detail::call_stop_token()); }
};

/// A remote function that returns a future, of a call of its own or of anything else: the caller gets what it will hold.
template <class T>
struct codec::result_adapter<future<T>> {
  using type = T;
  static T resolve(future<T>&& later) { return sync_wait(std::move(later), corolith::detail::call_stop_token()); }
};

template <class T>
struct codec::result_adapter<std::vector<future<T>>> {
  using type = std::vector<T>;
  static std::vector<T> resolve(std::vector<future<T>>&& later) {
    std::vector<T> values;
    values.reserve(later.size());
    for (future<T>& each : later) values.push_back(sync_wait(std::move(each), corolith::detail::call_stop_token()));
    return values;
  }
};

/// A remote function that returns a batch: the caller gets all its values.
template <class T>
struct codec::result_adapter<batch<T>> {
  using type = corolith::detail::collected_t<T>;
  static type resolve(batch<T>&& later) {
    return sync_wait(corolith::detail::collect_values<T>(later.share(), nullptr), corolith::detail::call_stop_token());
  }
};

}  // namespace corolith::inline v0
