// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/group.hpp>
#include <corolith/coro/task.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

template <class A>
group_member all_member(A awaited, std::optional<group_value_t<A>>* value, group* owner) {
  try {
    if constexpr (std::is_void_v<await_result_t<A>>) {
      co_await std::move(awaited);
      value->emplace();
    } else {
      value->emplace(co_await std::move(awaited));
    }
  } catch (...) {
    if (owner->decide(0)) owner->error = std::current_exception();
    owner->request_stop();
  }
}

}  // namespace detail

/// Awaits all at once: a tuple of their values, std::monostate for void. When one fails, the others are asked to stop;
/// all have ended before the first exception is thrown on. A stop request on the awaiting task reaches all of them.
template <detail::groupable... A>
task<std::tuple<detail::group_value_t<A>...>> when_all(A... awaited) {
  std::tuple<std::optional<detail::group_value_t<A>>...> values;
  detail::group all;
  {
    auto members = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<detail::group_member, sizeof...(A)>{
          detail::all_member(std::move(awaited), &std::get<I>(values), &all)...};
    }(std::index_sequence_for<A...>{});
    std::stop_token outer = co_await this_stop_token();
    std::stop_callback<detail::stop_group> forward(outer, detail::stop_group{&all});
    co_await all.run(members);
  }
  if (all.error) std::rethrow_exception(all.error);
  co_return std::apply([](auto&... value) { return std::tuple<detail::group_value_t<A>...>(std::move(*value)...); },
                       values);
}

/// The same for many of one type: a vector of their values in the order given; nothing for void.
template <detail::groupable A>
task<std::conditional_t<std::is_void_v<await_result_t<A>>, void, std::vector<detail::group_value_t<A>>>> when_all(
    std::vector<A> awaited) {
  std::vector<std::optional<detail::group_value_t<A>>> values(awaited.size());
  detail::group all;
  {
    std::vector<detail::group_member> members;
    members.reserve(awaited.size());
    for (std::size_t i = 0; i < awaited.size(); ++i)
      members.push_back(detail::all_member(std::move(awaited[i]), &values[i], &all));
    std::stop_token outer = co_await this_stop_token();
    std::stop_callback<detail::stop_group> forward(outer, detail::stop_group{&all});
    co_await all.run(members);
  }
  if (all.error) std::rethrow_exception(all.error);
  if constexpr (!std::is_void_v<await_result_t<A>>) {
    std::vector<detail::group_value_t<A>> collected;
    collected.reserve(values.size());
    for (auto& value : values) collected.push_back(std::move(*value));
    co_return collected;
  }
}

}  // namespace v0
}  // namespace corolith
