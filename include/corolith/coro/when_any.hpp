// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/detail/group.hpp>
#include <corolith/coro/task.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace corolith {
inline namespace v0 {

/// Which awaitable was first, and its value.
template <class T>
struct any_result {
  std::size_t index;
  T value;
};

namespace detail {

template <std::size_t Alternative, class A, class Value>
group_member any_member(A awaited, std::size_t index, std::optional<Value>* value, group* owner) {
  try {
    if constexpr (std::is_void_v<await_result_t<A>>) {
      co_await std::move(awaited);
      if (owner->decide(index)) value->emplace(std::in_place_index<Alternative>);
    } else {
      auto mine = co_await std::move(awaited);
      if (owner->decide(index)) value->emplace(std::in_place_index<Alternative>, std::move(mine));
    }
  } catch (...) {
    if (owner->decide(index) || owner->decided() == index) owner->error = std::current_exception();
  }
  owner->request_stop();
}

}  // namespace detail

/// Awaits several until one has ended, with a value or an exception; this one is the outcome: its index, and its value
/// as that alternative of a variant (std::monostate for void), or its exception. The others are asked to stop, and have
/// ended before this returns. A stop request on the awaiting task reaches all of them.
template <detail::groupable... A>
  requires(sizeof...(A) > 0)
task<any_result<std::variant<detail::group_value_t<A>...>>> when_any(A... awaited) {
  std::optional<std::variant<detail::group_value_t<A>...>> value;
  detail::group any;
  {
    auto members = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<detail::group_member, sizeof...(A)>{
          detail::any_member<I>(std::move(awaited), I, &value, &any)...};
    }(std::index_sequence_for<A...>{});
    std::stop_token outer = co_await this_stop_token();
    std::stop_callback<detail::stop_group> forward(outer, detail::stop_group{&any});
    co_await any.run(members);
  }
  if (any.error) std::rethrow_exception(any.error);
  co_return any_result<std::variant<detail::group_value_t<A>...>>{any.decided(), std::move(*value)};
}

/// The same for many of one type. Throws errc::misuse for none.
template <detail::groupable A>
task<any_result<detail::group_value_t<A>>> when_any(std::vector<A> awaited) {
  if (awaited.empty()) throw error(errc::misuse, "when_any needs something to wait for");
  std::optional<std::variant<detail::group_value_t<A>>> value;
  detail::group any;
  {
    std::vector<detail::group_member> members;
    members.reserve(awaited.size());
    for (std::size_t i = 0; i < awaited.size(); ++i)
      members.push_back(detail::any_member<0>(std::move(awaited[i]), i, &value, &any));
    std::stop_token outer = co_await this_stop_token();
    std::stop_callback<detail::stop_group> forward(outer, detail::stop_group{&any});
    co_await any.run(members);
  }
  if (any.error) std::rethrow_exception(any.error);
  co_return any_result<detail::group_value_t<A>>{any.decided(), std::get<0>(std::move(*value))};
}

}  // namespace v0
}  // namespace corolith
