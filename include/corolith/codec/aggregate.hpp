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

struct nothing_in_particular {};

// In an aggregate with a base, the first initialiser is the base. A first member that can be made from anything proves
// nothing.
template <class T>
concept starts_with_base = requires { T{any_base_of<T>{}}; } && !requires { T{nothing_in_particular{}}; };

}  // namespace detail

/// An aggregate class without base classes. Its members may be anything that can be sent, also other aggregates.
template <class T>
concept plain_aggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_polymorphic_v<T> &&
                          (std::is_empty_v<T> || !detail::starts_with_base<T>);

namespace detail {

/// Converts to anything, as Boost.PFR does it.
template <class T>
using anything = std::conditional_t<std::is_copy_constructible_v<T>, boost::pfr::detail::ubiq_lref_constructor,
                                    boost::pfr::detail::ubiq_rref_constructor>;

template <class T, std::size_t... Before, std::size_t... After>
constexpr bool takes_braces(std::index_sequence<Before...>, std::index_sequence<After...>) noexcept {
  return requires { T{anything<T>{Before}..., {}, anything<T>{After}...}; };
}

/// How many of the initialisers from Place on belong to one member: several for an array such as `double x[3]`, because
/// the braces around its elements may be left out. `{}` stands for the whole member.
template <class T, std::size_t Initialisers, std::size_t Place, std::size_t Extent = 1>
constexpr std::size_t extent_at() noexcept {
  if constexpr (takes_braces<T>(std::make_index_sequence<Place>{},
                                std::make_index_sequence<Initialisers - Place - Extent>{})) {
    return Extent;
  } else if constexpr (Place + Extent < Initialisers) {
    return extent_at<T, Initialisers, Place, Extent + 1>();
  } else {
    return 1;  // a member that cannot be made from {}
  }
}

// Boost.PFR counts initialisers, which are more than the members of a class that has an array among them.
template <class T, std::size_t Initialisers, std::size_t Place = 0>
constexpr std::size_t count_members() noexcept {
  if constexpr (Place >= Initialisers)
    return 0;
  else
    return 1 + count_members<T, Initialisers, Place + extent_at<T, Initialisers, Place>()>();
}

template <class T>
struct member_count : std::integral_constant<std::size_t, count_members<T, boost::pfr::tuple_size_v<T>>()> {};

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
