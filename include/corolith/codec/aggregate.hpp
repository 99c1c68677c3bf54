// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <boost/pfr/core.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

// Plain aggregates are sent member by member, in the order of declaration, without any code in them.
namespace corolith::inline v0::codec {

namespace detail {

/// Converts to every base class of T, and to nothing else.
template <class T>
struct any_base_of {
  template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>)
  operator U() const;
};

// In an aggregate with a base, the first initialiser is the base.
template <class T>
concept starts_with_base = requires { T{any_base_of<T>{}}; };

}  // namespace detail

/// An aggregate class without base classes. Its members may be anything that can be sent, also other aggregates.
template <class T>
concept plain_aggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_polymorphic_v<T> &&
                          (std::is_empty_v<T> || !detail::starts_with_base<T>);

namespace detail {

template <class T>
struct member_count : std::integral_constant<std::size_t, boost::pfr::tuple_size_v<T>> {};

/// Calls f(member&...) with all members of `value`.
template <class T, class F>
decltype(auto) with_members(T& value, F&& f) {
  constexpr std::size_t count = member_count<std::remove_cv_t<T>>::value;
  auto members = boost::pfr::detail::tie_as_tuple(value, boost::pfr::detail::size_t_<count>{});
  return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
    return std::forward<F>(f)(boost::pfr::detail::sequence_tuple::get<I>(members)...);
  }(std::make_index_sequence<count>{});
}

}  // namespace detail
}  // namespace corolith::inline v0::codec
