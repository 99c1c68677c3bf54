// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>

#include <concepts>
#include <coroutine>
#include <stop_token>

namespace corolith {
inline namespace v0 {

/// What a corolith coroutine has from the one that awaits it: the loop on which it resumes and the token that asks it
/// to stop.
struct coro_context {
  loop* home = nullptr;
  std::stop_token stop;

  coro_context& context() noexcept { return *this; }
};

/// A promise type of this library, or of a user who wants his coroutines to have a home loop and a stop token.
template <class Promise>
concept has_context = requires(Promise& promise) {
  { promise.context() } -> std::convertible_to<coro_context&>;
};

namespace detail {

template <class Promise>
coro_context* context_of(std::coroutine_handle<Promise> coroutine) noexcept {
  if constexpr (has_context<Promise>) {
    return &static_cast<coro_context&>(coroutine.promise().context());
  } else {
    return nullptr;
  }
}

/// Where `coroutine` resumes: its home, or the background loop when it has none.
template <class Promise>
loop& home_of(std::coroutine_handle<Promise> coroutine) {
  coro_context* context = context_of(coroutine);
  return context != nullptr && context->home != nullptr ? *context->home : background_loop();
}

template <class Promise>
void inherit(coro_context& child, std::coroutine_handle<Promise> parent) {
  child.home = &home_of(parent);
  if (coro_context* context = context_of(parent)) child.stop = context->stop;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
