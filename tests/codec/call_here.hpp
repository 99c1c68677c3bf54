// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/function.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <type_traits>

// What a worker does with a call, without one: the key is looked up and only bytes go in and out.
namespace here {

namespace cl = corolith;
namespace codec = corolith::codec;

template <class Function>
typename Function::result_type run(cl::byte_span shared, cl::byte_span element,
                                   std::shared_ptr<void>* cache = nullptr) {
  const codec::thunk entry = codec::find_function(Function::key());
  REQUIRE(entry != nullptr);
  cl::byte_buffer result;
  codec::invocation call{.shared = shared, .element = element, .result = result, .cache = cache};
  entry(call);
  if constexpr (std::is_void_v<typename Function::result_type>) {
    CHECK(result.empty());
  } else {
    return codec::decode_all<typename Function::result_type>(result.span());
  }
}

/// All arguments with the call.
template <class Callable, class... Args>
auto call(const Callable& callable, const Args&... args) {
  using function = codec::single_call<Callable, Args...>;
  cl::byte_buffer shared, element;
  function::encode_shared(shared, callable);
  function::encode_element(element, args...);
  return run<function>(shared.span(), element.span());
}
template <auto F, class... Args>
auto call(const Args&... args) {
  return call(codec::fixed<F>{}, args...);
}

/// The first argument is the element of a map, the others are shared.
template <class Callable, class Element, class... Shared>
auto map_one(const Callable& callable, const Element& element, const Shared&... shared) {
  using mapped = codec::map_call<Callable, Element, Shared...>;
  cl::byte_buffer once, each;
  mapped::function::encode_shared(once, callable, shared...);
  mapped::encode_element(each, element);
  return run<typename mapped::function>(once.span(), each.span());
}

}  // namespace here
