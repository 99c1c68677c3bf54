// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/codec/detail/checks.hpp>
#include <corolith/codec/detail/passing.hpp>
#include <corolith/codec/registry.hpp>
#include <corolith/codec/signature.hpp>
#include <corolith/core/bytes.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

// From a call to bytes, and from bytes to a call.
namespace corolith::inline v0::codec {

/// How a raw result becomes the value that is sent: as it is. Specialised for coroutines and futures, whose `type` is
/// what they end in and whose `resolve` waits for it.
template <class R>
struct result_adapter {
  using type = R;
  static R resolve(R&& result) { return std::move(result); }
};

namespace detail {

template <class R>
struct sent_result {
  using adapter = result_adapter<std::remove_cvref_t<R>>;
  using type = stored_t<typename adapter::type>;
  static constexpr bool as_it_is = std::is_same_v<typename adapter::type, std::remove_cvref_t<R>>;
};
template <class R>
  requires std::is_void_v<R>
struct sent_result<R> {
  using type = void;
};

}  // namespace detail

/// One way of calling Callable remotely: Stored are the types in which its arguments travel, the first ElementCount of
/// them with each call, the others (and the state of a function object) once a batch.
template <class Callable, std::size_t ElementCount, class... Stored>
struct remote_function {
 private:
  static_assert(ElementCount <= sizeof...(Stored));
  using call_shape = detail::call_shape<Callable, ElementCount, Stored...>;
  using raw_result = typename call_shape::raw_result;

 public:
  static constexpr std::size_t element_count = ElementCount;
  static constexpr bool has_state = !std::is_empty_v<Callable>;
  /// What the caller's future holds; void when nothing is sent back.
  using result_type = typename detail::sent_result<raw_result>::type;

  /// Names this function in every process of the program. Thread-safe.
  static function_key key() noexcept { return registrar_.key(); }

  /// The thunk: see `thunk` for what it throws.
  static void invoke(invocation& call) {
    auto elements = call_shape::decode_elements(call.element);
    const auto shared = call_shape::decode_shared(call.shared, call.cache, call.cache_guard);
    call_shape::call(elements, *shared,
                     [&](auto&& result) { send_result(call.result, std::forward<decltype(result)>(result)); });
  }

  /// Writes the arguments of one call, each converted to the type in which it travels.
  template <class... Args>
  static void encode_element(byte_buffer& buffer, const Args&... args) {
    static_assert(sizeof...(Args) == ElementCount);
    detail::encode_as(buffer, detail::first_of<ElementCount, Stored...>{}, args...);
  }

  /// Writes the state of the callable and the shared arguments.
  template <class... Args>
  static void encode_shared(byte_buffer& buffer, const Callable& callable, const Args&... args) {
    static_assert(sizeof...(Args) == sizeof...(Stored) - ElementCount);
    if constexpr (has_state) encode(buffer, callable);
    detail::encode_as(buffer, detail::rest_of<ElementCount, Stored...>{}, args...);
  }

 private:
  template <class Raw>
  static void send_result(byte_buffer& buffer, Raw&& result) {
    using sent = detail::sent_result<raw_result>;
    constexpr bool travels = detail::result_can_travel<typename sent::adapter::type>();
    if constexpr (!travels) {
      return;
    } else if constexpr (sent::as_it_is) {
      detail::encode_as(buffer, detail::parameter_list<result_type>{}, result);
    } else if constexpr (std::is_void_v<result_type>) {
      sent::adapter::resolve(std::forward<Raw>(result));
    } else {
      detail::encode_as(buffer, detail::parameter_list<result_type>{},
                        sent::adapter::resolve(std::forward<Raw>(result)));
    }
  }

  // Its constructor runs before main in every process of the program, because key() uses it.
  static inline detail::registrar registrar_{&invoke, typeid(Callable)};
};

namespace detail {

template <class Callable, std::size_t ElementCount, class List>
struct remote_function_of;
template <class Callable, std::size_t ElementCount, class... Stored>
struct remote_function_of<Callable, ElementCount, parameter_list<Stored...>> {
  using type = remote_function<Callable, ElementCount, Stored...>;
};

// Callable can be called with such arguments. Says no where `checked` would give a message.
template <class Callable, class... Args>
constexpr bool accepts() noexcept {
  if constexpr (generic_callable<Callable>) {
    return std::is_invocable_v<Callable&, stored_t<text_or<std::decay_t<Args>>>...>;
  } else {
    return []<class... Stored>(parameter_list<Stored...>) {
      if constexpr (sizeof...(Stored) != sizeof...(Args))
        return false;
      else
        return (argument_for<const Args&, Stored> && ...);
    }(stored_parameters_t<Callable, Args...>{});
  }
}

// All that can be wrong with a call, checked in the order in which a reader wants to hear of it.
template <class Callable, class... Args>
constexpr bool checked() noexcept {
  if constexpr (!callable_can_travel<Callable>()) {
    return false;
  } else if constexpr (generic_callable<Callable>) {
    constexpr bool travels = (parameter_can_travel<stored_t<text_or<std::decay_t<Args>>>>() & ... & true);
    if constexpr (travels) {
      static_assert(
          accepts<Callable, Args...>(),
          "corolith: the callable cannot be called with these arguments; a map gives it the element first, then the "
          "shared arguments");
      return accepts<Callable, Args...>();
    } else {
      return false;
    }
  } else if constexpr (!parameters_can_travel(typename parameters<Callable>::type{})) {
    return false;
  } else {
    return arguments_fit(parameter_list<const Args&...>{}, stored_parameters_t<Callable, Args...>{});
  }
}

template <class Callable, std::size_t ElementCount, bool Ok, class... Args>
struct checked_function {
  using type = typename remote_function_of<Callable, ElementCount, stored_parameters_t<Callable, Args...>>::type;
};
// What stands for a function whose mistake has been reported, so that no further errors follow.
struct wrong_function {
  static constexpr std::size_t element_count = 0;
  using result_type = void;
  static function_key key() noexcept { return {}; }
  static void invoke(invocation&) {}
  template <class... Args>
  static void encode_element(byte_buffer&, const Args&...) {}
  template <class... Args>
  static void encode_shared(byte_buffer&, const Args&...) {}
};
template <class Callable, std::size_t ElementCount, class... Args>
struct checked_function<Callable, ElementCount, false, Args...> {
  using type = wrong_function;
};

template <class T>
concept tuple_like = requires { std::tuple_size<std::remove_cvref_t<T>>::value; };

}  // namespace detail

/// The remote_function that runs Callable with the arguments Args, of which the first ElementCount travel with each
/// call. What is wrong with the call is said here, at compile time.
template <class Callable, std::size_t ElementCount, class... Args>
using remote_function_t =
    typename detail::checked_function<Callable, ElementCount, detail::checked<Callable, Args...>(),
                                      std::remove_cvref_t<Args>...>::type;

namespace detail {

template <class Callable, class Element, class... Shared>
constexpr bool spreads() noexcept {
  if constexpr (std::is_pointer_v<Callable> || std::is_member_pointer_v<Callable> || !tuple_like<Element>) {
    return false;
  } else if constexpr (accepts<Callable, Element, Shared...>()) {
    return false;
  } else {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return accepts<Callable, std::tuple_element_t<I, std::remove_cvref_t<Element>>..., Shared...>();
    }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<Element>>>{});
  }
}

template <bool Spread, class Callable, class Element, class... Shared>
struct mapped {
  using function = remote_function_t<Callable, 1, Element, Shared...>;
  static void encode_element(byte_buffer& buffer, const Element& element) { function::encode_element(buffer, element); }
};

template <class Callable, class Element, class... Shared>
struct mapped<true, Callable, Element, Shared...> {
  static constexpr std::size_t size = std::tuple_size_v<Element>;

  template <class Indices>
  struct choose;
  template <std::size_t... I>
  struct choose<std::index_sequence<I...>> {
    using type = remote_function_t<Callable, size, std::tuple_element_t<I, Element>..., Shared...>;
  };
  using function = typename choose<std::make_index_sequence<size>>::type;

  static void encode_element(byte_buffer& buffer, const Element& element) {
    std::apply([&](const auto&... part) { function::encode_element(buffer, part...); }, element);
  }
};

}  // namespace detail

/// An Element that is a tuple, pair or array is spread over the first parameters: Callable does not take it whole, but
/// does take its parts followed by the shared arguments.
template <class Callable, class Element, class... Shared>
inline constexpr bool spreads_v = detail::spreads<Callable, Element, Shared...>();

/// What a map of Callable over Element with Shared does: `function` (a remote_function) and `encode_element(buffer,
/// element)`.
template <class Callable, class Element, class... Shared>
struct map_call : detail::mapped<spreads_v<Callable, Element, Shared...>, Callable, std::remove_cvref_t<Element>,
                                 std::remove_cvref_t<Shared>...> {};

/// A single call: all arguments travel with it, and only the state of a function object is shared.
template <class Callable, class... Args>
using single_call = remote_function_t<Callable, sizeof...(Args), Args...>;

}  // namespace corolith::inline v0::codec
