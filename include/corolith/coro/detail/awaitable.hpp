// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Base of the library's own awaiters: they resume a task on its home loop, or flatly where it ran, by themselves.
struct native_awaiter {};

template <class A>
concept has_member_co_await = requires(A&& a) { static_cast<A&&>(a).operator co_await(); };
template <class A>
concept has_free_co_await = requires(A&& a) { operator co_await(static_cast<A&&>(a)); };

template <class A>
constexpr decltype(auto) get_awaiter(A&& a) {
  if constexpr (has_member_co_await<A>) {
    return static_cast<A&&>(a).operator co_await();
  } else if constexpr (has_free_co_await<A>) {
    return operator co_await(static_cast<A&&>(a));
  } else {
    return static_cast<A&&>(a);
  }
}

template <class A>
using awaiter_t = decltype(get_awaiter(std::declval<A>()));

template <class A>
concept native = std::derived_from<std::remove_cvref_t<awaiter_t<A>>, native_awaiter>;

}  // namespace detail

/// Something that a corolith task can co_await.
template <class A>
concept awaitable = requires(detail::awaiter_t<A> a) {
  { a.await_ready() } -> std::convertible_to<bool>;
  a.await_resume();
};

/// What `co_await` on an A gives.
template <class A>
using await_result_t = decltype(std::declval<detail::awaiter_t<A>>().await_resume());

}  // namespace v0
}  // namespace corolith
