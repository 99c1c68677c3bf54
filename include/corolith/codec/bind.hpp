// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/codec/detail/checks.hpp>
#include <corolith/codec/detail/passing.hpp>
#include <corolith/codec/signature.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace corolith::inline v0::codec {

/// A function with its first arguments already given, as a function object that can be sent; made by `bind`.
template <auto F, class... A>
struct bound {
  std::tuple<A...> arguments;

  template <class... Rest>
  decltype(auto) operator()(Rest&&... rest) const {
    return call(std::index_sequence_for<A...>{}, typename detail::parameters<fixed<F>>::type{},
                std::forward<Rest>(rest)...);
  }

 private:
  template <std::size_t... I, class... P, class... Rest>
  decltype(auto) call(std::index_sequence<I...>, detail::parameter_list<P...>, Rest&&... rest) const {
    return std::invoke(F, detail::pass<std::tuple_element_t<I, std::tuple<P...>>>(std::get<I>(arguments))...,
                       std::forward<Rest>(rest)...);
  }
};

namespace detail {

// What is left to give: the parameters of F after the bound ones.
template <auto F, class... A>
struct parameters<bound<F, A...>> {
  template <class List>
  struct after;
  template <class... P>
  struct after<parameter_list<P...>> {
    using type = rest_of<sizeof...(A), P...>;
  };
  using type = typename after<typename parameters<fixed<F>>::type>::type;
};

template <auto F, class List>
struct binder;
template <auto F, class... P>
struct binder<F, parameter_list<P...>> {
  template <class... A, class... Args>
  static bound<F, A...> make(parameter_list<A...>, Args&&... args) {
    return {std::tuple<A...>(own<A>(std::forward<Args>(args))...)};
  }

  template <class... Args>
  static auto bind(Args&&... args) {
    static_assert(sizeof...(Args) <= sizeof...(P), "corolith: more arguments are bound than the function takes");
    if constexpr (sizeof...(Args) <= sizeof...(P)) {
      using stored = first_of<sizeof...(Args), stored_t<P>...>;
      if constexpr (arguments_fit(parameter_list<Args&&...>{}, stored{}))
        return make(stored{}, std::forward<Args>(args)...);
    }
  }

 private:
  template <class A, class Arg>
  static A own(Arg&& arg) {
    using view = typename view_of<A>::type;
    if constexpr (std::is_same_v<std::remove_cvref_t<Arg>, A> || std::is_convertible_v<Arg, A>) {
      return static_cast<A>(std::forward<Arg>(arg));
    } else {
      const view shown(arg);
      if constexpr (requires { A(shown.begin(), shown.end()); }) {
        return A(shown.begin(), shown.end());
      } else {
        A all{};
        std::copy(shown.begin(), shown.end(), all.begin());
        return all;
      }
    }
  }
};

}  // namespace detail

/// `F` with `args` as its first arguments, each kept in the type in which it travels: `ex.map(bind<&integrate>(model),
/// points)` calls integrate(model, point). F must not be generic.
template <auto F, class... Args>
auto bind(Args&&... args) {
  return detail::binder<F, typename detail::parameters<fixed<F>>::type>::bind(std::forward<Args>(args)...);
}

}  // namespace corolith::inline v0::codec
