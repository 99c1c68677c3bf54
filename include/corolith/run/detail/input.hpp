// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/run/detail/batch_core.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

template <class T>
struct is_generator : std::false_type {};
template <class T>
struct is_generator<generator<T>> : std::true_type {};

/// What a map takes as its elements: any range, or an async generator.
template <class R>
concept map_input = std::ranges::input_range<R> || is_generator<std::remove_cvref_t<R>>::value;

/// A container is there in memory, so it is encoded at once, in the caller's thread; what computes its elements is pulled as the
/// calls go out.
template <class R>
concept eager_range =
    std::ranges::forward_range<R> && (!std::ranges::view<std::remove_cvref_t<R>> || std::ranges::contiguous_range<R>);

template <class R>
struct element_of {
  using type = std::ranges::range_reference_t<R>;
};
template <class R>
  requires is_generator<std::remove_cvref_t<R>>::value
struct element_of<R> {
  using type = typename std::remove_cvref_t<R>::value_type;
};

/// Elements of a view, encoded by `Map::encode_element`.
template <class Map, std::ranges::view View>
class range_source : public input_source {
 public:
  explicit range_source(View view) : view_(std::move(view)) {}

  task<bool> pull(std::uint32_t count, batch_core& into) override {
    // What is there goes on its way when the others take their time.
    const auto late = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    block_builder& builder = into.builder();
    do {
      if (at_)
        ++*at_;
      else
        at_.emplace(std::ranges::begin(view_));
      if (*at_ == std::ranges::end(view_)) co_return false;
      Map::encode_element(builder.bytes(), **at_);
      builder.end_element();
    } while (--count != 0 && !builder.full() && std::chrono::steady_clock::now() < late);
    co_return true;
  }

 private:
  View view_;
  std::optional<std::ranges::iterator_t<View>> at_;
};

template <class Map, class Generator>
class generator_source : public input_source {
 public:
  explicit generator_source(Generator from) : from_(std::move(from)) {}

  task<bool> pull(std::uint32_t count, batch_core& into) override {
    block_builder& builder = into.builder();
    do {
      auto element = co_await from_.next();
      if (!element) co_return false;
      Map::encode_element(builder.bytes(), *element);
      builder.end_element();
      into.feed_when_idle();  // the next one may be long in coming
    } while (--count != 0 && !builder.full());
    co_return true;
  }

 private:
  Generator from_;
};

/// Encodes all elements of a container and ends the input.
template <class Map, class R>
void feed_all(batch_core& batch, R&& range) {
  block_builder builder;
  for (auto&& element : range) {
    if (builder.full()) batch.feed(builder.take(), false);
    Map::encode_element(builder.bytes(), element);
    builder.end_element();
  }
  batch.feed(builder.take(), true);
}

template <class Map, class R>
std::unique_ptr<input_source> make_source(R&& range) {
  if constexpr (is_generator<std::remove_cvref_t<R>>::value) {
    static_assert(!std::is_lvalue_reference_v<R>,
                  "corolith: an async generator is used up by a map: pass it with std::move");
    return std::make_unique<generator_source<Map, std::remove_cvref_t<R>>>(std::move(range));
  } else {
    using view = std::views::all_t<R>;
    return std::make_unique<range_source<Map, view>>(std::views::all(std::forward<R>(range)));
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
