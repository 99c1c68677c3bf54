// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// What a callable takes, and the types in which its arguments travel.
namespace corolith::inline v0::codec {

/// A function, member function or captureless lambda that is known at compile time, as an object without state.
/// A member function takes its object first.
template <auto F>
struct fixed {
  template <class... Args>
    requires std::is_invocable_v<decltype(F), Args...>
  decltype(auto) operator()(Args&&... args) const {
    return std::invoke(F, std::forward<Args>(args)...);
  }
};

namespace detail {

template <class... P>
struct parameter_list {};

/// The parameters of a function, of a pointer to one or of a pointer to a member function.
template <class F>
struct function_parameters;

template <class R, class... P>
struct function_parameters<R (*)(P...)> {
  using type = parameter_list<P...>;
  using without_object = type;
};
template <class R, class... P>
struct function_parameters<R (*)(P...) noexcept> : function_parameters<R (*)(P...)> {};

// The object of a member function: read only for const, an rvalue for the others (they may change their own copy of
// it).
#define COROLITH_MEMBER(qualifiers, object)               \
  template <class R, class C, class... P>                 \
  struct function_parameters<R (C::*)(P...) qualifiers> { \
    using type = parameter_list<object, P...>;            \
    using without_object = parameter_list<P...>;          \
  };
COROLITH_MEMBER(, C&&)
COROLITH_MEMBER(&, C&)
COROLITH_MEMBER(&&, C&&)
COROLITH_MEMBER(const, const C&)
COROLITH_MEMBER(const&, const C&)
COROLITH_MEMBER(const&&, C&&)
COROLITH_MEMBER(noexcept, C&&)
COROLITH_MEMBER(& noexcept, C&)
COROLITH_MEMBER(&& noexcept, C&&)
COROLITH_MEMBER(const noexcept, const C&)
COROLITH_MEMBER(const& noexcept, const C&)
COROLITH_MEMBER(const&& noexcept, C&&)
#undef COROLITH_MEMBER

template <class Callable>
concept has_one_call_operator = requires { &Callable::operator(); };

/// parameters<Callable>::type is the parameter_list of a callable; there is none for a generic one (overloaded, auto
/// parameters).
template <class Callable>
struct parameters {};
template <has_one_call_operator Callable>
struct parameters<Callable> {
  using type = typename function_parameters<decltype(&Callable::operator())>::without_object;
};
template <auto F>
  requires(std::is_pointer_v<decltype(F)> || std::is_member_function_pointer_v<decltype(F)>)
struct parameters<fixed<F>> : function_parameters<std::remove_const_t<decltype(F)>> {};
template <auto F>
  requires std::is_class_v<std::remove_const_t<decltype(F)>>
struct parameters<fixed<F>> : parameters<std::remove_const_t<decltype(F)>> {};

template <class Callable>
concept generic_callable = !requires { typename parameters<Callable>::type; };

// The type that owns what a parameter or an argument shows.
template <class T>
struct owner_of {
  using type = T;
};
template <class T, std::size_t N>
struct owner_of<std::span<T, N>> {
  using type = std::array<std::remove_const_t<T>, N>;
};
template <class T>
struct owner_of<std::span<T, std::dynamic_extent>> {
  using type = std::vector<std::remove_const_t<T>>;
};
template <class C, class Traits>
struct owner_of<std::basic_string_view<C, Traits>> {
  using type = std::basic_string<C, Traits>;
};

template <class T>
struct writable_span : std::false_type {};
template <class T, std::size_t N>
struct writable_span<std::span<T, N>> : std::bool_constant<!std::is_const_v<T>> {};

// A string literal given to a generic callable is text.
template <class T>
using text_or = std::conditional_t<std::is_same_v<T, const char*> || std::is_same_v<T, char*>, std::string, T>;

}  // namespace detail

/// The type in which a parameter (or a result) of type P travels: P without reference and const; std::span<const T>
/// becomes std::vector<T> (std::array<T, N> for a fixed extent), std::string_view becomes std::string.
template <class P>
using stored_t = typename detail::owner_of<std::remove_cvref_t<P>>::type;

namespace detail {

template <class List, class... Args>
struct stored_list;
template <class... P, class... Args>
struct stored_list<parameter_list<P...>, Args...> {
  using type = parameter_list<stored_t<P>...>;
};

template <class Callable, class... Args>
struct stored_parameters : stored_list<typename parameters<Callable>::type> {};
template <generic_callable Callable, class... Args>
struct stored_parameters<Callable, Args...> {
  using type = parameter_list<stored_t<text_or<std::decay_t<Args>>>...>;
};

}  // namespace detail

/// parameter_list of the types in which the arguments of Callable travel when it is called with Args.
template <class Callable, class... Args>
using stored_parameters_t = typename detail::stored_parameters<Callable, Args...>::type;

}  // namespace corolith::inline v0::codec
