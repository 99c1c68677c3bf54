// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/codec/detail/checks.hpp>
#include <corolith/codec/detail/lent.hpp>
#include <corolith/codec/signature.hpp>

#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

// How arguments are written, read, and handed to the function.
namespace corolith::inline v0::codec::detail {

template <std::size_t N, class Indices, class... T>
struct slice_of;
template <std::size_t N, std::size_t... I, class... T>
struct slice_of<N, std::index_sequence<I...>, T...> {
  using type = parameter_list<std::tuple_element_t<N + I, std::tuple<T...>>...>;
};
template <std::size_t N, class... T>
using first_of = typename slice_of<0, std::make_index_sequence<N>, T...>::type;
template <std::size_t N, class... T>
using rest_of = typename slice_of<N, std::make_index_sequence<sizeof...(T) - N>, T...>::type;

template <class Stored, class Arg>
decltype(auto) as_stored(const Arg& arg) {
  using view = typename view_of<Stored>::type;
  if constexpr (std::is_same_v<Arg, Stored>) {
    return (arg);
  } else if constexpr (!std::is_void_v<view> && std::is_convertible_v<const Arg&, view>) {
    return static_cast<view>(arg);  // has the encoding of Stored, and copies nothing
  } else {
    return static_cast<Stored>(arg);
  }
}

/// Writes each argument as the type in which it travels.
template <class... Stored, class... Args>
void encode_as(byte_buffer& buffer, parameter_list<Stored...>, const Args&... args) {
  if constexpr (sizeof...(Args) != 0) encode(buffer, as_stored<Stored>(args)...);
}

/// Hands a value that travelled as S to a parameter P. A const `value` is kept for other calls, any other is this
/// call's own.
template <class P, class S>
decltype(auto) pass(S& value) {
  if constexpr (!std::is_same_v<std::remove_cvref_t<P>, std::remove_const_t<S>>) {
    return std::remove_cvref_t<P>(value);  // a view
  } else if constexpr (std::is_lvalue_reference_v<P>) {
    return (value);
  } else if constexpr (std::is_const_v<S>) {
    return std::remove_const_t<S>(value);
  } else {
    return std::move(value);
  }
}

// A generic callable gets its own arguments as rvalues, shared ones as const lvalues.
template <class S, bool Shared>
using generic_parameter = std::conditional_t<Shared, const S&, S&&>;

template <class Callable>
Callable make_stateless() {
  if constexpr (std::is_default_constructible_v<Callable>) {
    return Callable{};
  } else {
    static_assert(std::is_trivially_copyable_v<Callable>);
    return std::bit_cast<Callable>(std::byte{});  // a lambda with a capture default that captures nothing
  }
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_argument(const char* which, const codec_error& problem) {
  throw codec_error(std::string("the ") + which + " arguments cannot be read: " + problem.what());
}

/// What arguments that travelled as the second list are decoded into, for the parameters of the first.
template <class Parameters, class Stored>
struct tuple_of;
template <class... P, class... S>
struct tuple_of<parameter_list<P...>, parameter_list<S...>> {
  using type = std::tuple<typename held<P, S>::type...>;
};
template <std::size_t N, class List>
struct split;
template <std::size_t N, class... P>
struct split<N, parameter_list<P...>> {
  using front = first_of<N, P...>;
  using rest = rest_of<N, P...>;
};

/// The shared part of a call as it is kept while calls of a batch run.
template <class Callable, class Arguments>
struct shared_part {
  Callable callable;
  Arguments arguments;
};

template <class Callable, class Arguments>
shared_part<Callable, Arguments> decode_shared_part(byte_span bytes) {
  try {
    if constexpr (std::is_empty_v<Callable>) {
      return {make_stateless<Callable>(), decode_all<Arguments>(bytes)};
    } else {
      auto callable = decode<Callable>(bytes);
      return {std::move(callable), decode_all<Arguments>(bytes)};
    }
  } catch (const codec_error& problem) {
    fail_argument("shared", problem);
  }
}

template <bool Generic, class Callable, class Indices, std::size_t ElementCount, class... Stored>
struct parameters_of;
template <class Callable, std::size_t... I, std::size_t ElementCount, class... Stored>
struct parameters_of<true, Callable, std::index_sequence<I...>, ElementCount, Stored...> {
  using type = parameter_list<generic_parameter<Stored, (I >= ElementCount)>...>;
};
template <class Callable, std::size_t... I, std::size_t ElementCount, class... Stored>
struct parameters_of<false, Callable, std::index_sequence<I...>, ElementCount, Stored...> {
  using type = typename parameters<Callable>::type;
};

/// The types and the steps of one way of calling; see remote_function.
template <class Callable, std::size_t ElementCount, class... Stored>
struct call_shape {
  using parameter_types = typename parameters_of<generic_callable<Callable>, Callable,
                                                 std::index_sequence_for<Stored...>, ElementCount, Stored...>::type;
  using elements =
      typename tuple_of<typename split<ElementCount, parameter_types>::front, first_of<ElementCount, Stored...>>::type;
  using shared_arguments =
      typename tuple_of<typename split<ElementCount, parameter_types>::rest, rest_of<ElementCount, Stored...>>::type;
  using shared_values = shared_part<Callable, shared_arguments>;

  template <class P, class S>
  static constexpr bool shareable =
      std::is_lvalue_reference_v<P> || !std::is_same_v<std::remove_cvref_t<P>, S> || std::is_copy_constructible_v<S>;

  template <class... P>
  static constexpr bool all_shareable(parameter_list<P...>) noexcept {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (shareable<std::tuple_element_t<ElementCount + I, std::tuple<P...>>,
                        std::tuple_element_t<I, shared_arguments>> &&
              ...);
    }(std::make_index_sequence<sizeof...(Stored) - ElementCount>{});
  }

  /// The decoded shared values serve many calls: none of them is consumed by a call.
  static constexpr bool kept = all_shareable(parameter_types{}) && std::is_copy_constructible_v<Callable>;
  using shared_access = std::conditional_t<kept, const shared_values, shared_values>;

  static elements decode_elements(byte_span bytes) {
    try {
      return decode_all<elements>(bytes);
    } catch (const codec_error& problem) {
      fail_argument("call's", problem);
    }
  }

  static std::shared_ptr<shared_access> decode_shared(byte_span bytes, std::shared_ptr<void>* cache,
                                                      std::mutex* guard) {
    [[maybe_unused]] std::unique_lock<std::mutex> lock;
    if constexpr (kept) {
      if (guard != nullptr) lock = std::unique_lock(*guard);
      if (cache != nullptr && *cache != nullptr) return std::static_pointer_cast<shared_access>(*cache);
    }
    auto decoded = std::make_shared<shared_values>(decode_shared_part<Callable, shared_arguments>(bytes));
    if constexpr (kept) {
      if (cache != nullptr) *cache = decoded;
    }
    return decoded;
  }

  template <class P, class S>
  using passed = decltype(pass<P>(std::declval<S&>()));

  template <class C, class Indices, class SharedIndices, class List>
  struct call_traits;
  template <class C, std::size_t... I, std::size_t... J, class... P>
  struct call_traits<C, std::index_sequence<I...>, std::index_sequence<J...>, parameter_list<P...>> {
    using types = std::tuple<P...>;
    using shared_tuple = std::conditional_t<kept, const shared_arguments, shared_arguments>;
    template <std::size_t N>
    using own_argument = passed<std::tuple_element_t<N, types>, std::tuple_element_t<N, elements>>;
    template <std::size_t N>
    using shared_argument =
        passed<std::tuple_element_t<ElementCount + N, types>, std::tuple_element_t<N, shared_tuple>>;

    static constexpr bool possible = std::is_invocable_v<C&, own_argument<I>..., shared_argument<J>...>;
    template <class Void = void>
    using result =
        std::invoke_result_t<C&, std::enable_if_t<std::is_void_v<Void>, own_argument<I>>..., shared_argument<J>...>;

    // The result is consumed inside the expression that makes the arguments: a coroutine may refer to them until it is
    // done.
    template <class Consumer>
    static void call(C& callable, [[maybe_unused]] elements& own, [[maybe_unused]] shared_access& shared,
                     Consumer&& consume) {
      if constexpr (std::is_void_v<result<>>) {
        std::invoke(callable, pass<std::tuple_element_t<I, types>>(std::get<I>(own))...,
                    pass<std::tuple_element_t<ElementCount + J, types>>(std::get<J>(shared.arguments))...);
      } else {
        consume(std::invoke(callable, pass<std::tuple_element_t<I, types>>(std::get<I>(own))...,
                            pass<std::tuple_element_t<ElementCount + J, types>>(std::get<J>(shared.arguments))...));
      }
    }
  };
  template <class C>
  using calling = call_traits<C, std::make_index_sequence<ElementCount>,
                              std::make_index_sequence<sizeof...(Stored) - ElementCount>, parameter_types>;

  static constexpr bool const_call = calling<const Callable>::possible;
  using called_as = calling<std::conditional_t<const_call, const Callable, Callable>>;
  using raw_result = typename called_as::template result<>;

  /// Calls and hands the result, if there is one, to `consume`.
  template <class Consumer>
  static void call(elements& own, shared_access& shared, Consumer&& consume) {
    if constexpr (const_call || !kept) {
      called_as::call(shared.callable, own, shared, consume);
    } else {
      Callable own_callable = shared.callable;  // its call may change it, and must not for the next one
      called_as::call(own_callable, own, shared, consume);
    }
  }
};

}  // namespace corolith::inline v0::codec::detail
