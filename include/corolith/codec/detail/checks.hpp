// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/codec/signature.hpp>

#include <cstddef>
#include <type_traits>

// The mistakes that the compiler can find in a remote call, each with a message that says what to do. All checks go
// through here, so that a mistake gives its own message and not what happens to fail further inside.
namespace corolith::inline v0::codec::detail {

template <class Stored>
struct view_of {
  using type = void;
};
template <class T>
struct view_of<std::vector<T>> {
  using type = std::span<const T>;
};
template <>
struct view_of<std::vector<bool>> {
  using type = void;
};
template <class T, std::size_t N>
struct view_of<std::array<T, N>> {
  using type = std::span<const T, N>;
};
template <class C, class Traits>
struct view_of<std::basic_string<C, Traits>> {
  using type = std::basic_string_view<C, Traits>;
};

/// An argument of type Arg may stand for a parameter that travels as Stored.
template <class Arg, class Stored>
concept argument_for =
    std::is_same_v<std::remove_cvref_t<Arg>, Stored> || std::is_convertible_v<Arg, Stored> ||
    (!std::is_void_v<typename view_of<Stored>::type> && std::is_convertible_v<Arg, typename view_of<Stored>::type>);

template <class Callable>
constexpr bool callable_can_travel() noexcept {
  static_assert(!std::is_pointer_v<Callable> && !std::is_member_pointer_v<Callable>,
                "corolith: a function that is only known at run time cannot be sent; name it at compile time, as in "
                "ex.map<function>(range) or ex.call<&type::method>(object)");
  constexpr bool at_run_time = std::is_pointer_v<Callable> || std::is_member_pointer_v<Callable>;
  constexpr bool sendable = at_run_time || (std::is_empty_v<Callable> ? std::is_trivially_copyable_v<Callable> ||
                                                                            std::is_default_constructible_v<Callable>
                                                                      : serialisable<Callable>);
  static_assert(
      sendable,
      "corolith: this lambda captures, or this function object has state that cannot be sent; pass what it captures "
      "as shared arguments after the range, or write a function object with serialisable members");
  return sendable && !at_run_time;
}

template <class P>
constexpr bool parameter_can_travel() noexcept {
  using bare = std::remove_cvref_t<P>;
  constexpr bool pointer = std::is_pointer_v<bare> || std::is_member_pointer_v<bare>;
  constexpr bool out = std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;
  constexpr bool writable = writable_span<bare>::value;
  constexpr bool sendable = pointer || out || writable || serialisable<stored_t<P>>;
  static_assert(
      !pointer,
      "corolith: a remote function cannot take a pointer, which means nothing in another process; take a value, a "
      "std::vector, a std::span<const T>, a std::string or a std::unique_ptr");
  static_assert(
      !out,
      "corolith: a remote function cannot take an argument by non-const reference, for what it changes there does not "
      "come back; take it by value or const reference and return the result");
  static_assert(
      !writable,
      "corolith: a remote function cannot take a std::span<T> that it may write to, for what it writes there does not "
      "come back; take a std::span<const T> and return the result");
  static_assert(sendable,
                "corolith: a parameter of this remote function cannot be sent; make its type a plain aggregate of "
                "types that can, "
                "or give it a default constructor and a cereal serialize(Archive&) member");
  return !pointer && !out && !writable && sendable;
}

template <class... P>
constexpr bool parameters_can_travel(parameter_list<P...>) noexcept {
  return (parameter_can_travel<P>() & ... & true);
}

template <class R>
constexpr bool result_can_travel() noexcept {
  if constexpr (std::is_void_v<R>) {
    return true;
  } else {
    constexpr bool pointer =
        std::is_pointer_v<std::remove_cvref_t<R>> || std::is_member_pointer_v<std::remove_cvref_t<R>>;
    constexpr bool sendable = pointer || serialisable<stored_t<R>>;
    static_assert(!pointer,
                  "corolith: a remote function cannot return a pointer, which means nothing in another process; return "
                  "a value, a "
                  "std::vector, a std::string or a std::unique_ptr");
    static_assert(sendable,
                  "corolith: the result of this remote function cannot be sent; make its type a plain aggregate of "
                  "types that can, "
                  "or give it a default constructor and a cereal serialize(Archive&) member");
    return !pointer && sendable;
  }
}

template <class Arg, class Stored>
constexpr bool argument_fits() noexcept {
  static_assert(
      argument_for<Arg, Stored>,
      "corolith: an argument does not convert to the type of the function's parameter; see Arg and Stored below");
  return argument_for<Arg, Stored>;
}

template <class... Args, class... Stored>
constexpr bool arguments_fit(parameter_list<Args...>, parameter_list<Stored...>) noexcept {
  static_assert(
      sizeof...(Args) == sizeof...(Stored),
      "corolith: the function takes another number of arguments; a map gives it the element first, then the shared "
      "arguments, and default arguments do not count");
  if constexpr (sizeof...(Args) != sizeof...(Stored))
    return false;
  else
    return (argument_fits<Args, Stored>() & ... & true);
}

}  // namespace corolith::inline v0::codec::detail
