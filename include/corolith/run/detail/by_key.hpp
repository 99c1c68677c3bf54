// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/function.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/run/batch.hpp>
#include <corolith/run/detail/input.hpp>
#include <corolith/run/element_key.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Which element has which key: noted as the elements of a map are pulled, looked up as its calls end. Thread-safe.
template <class Element>
class key_groups {
 public:
  using key_type = std::decay_t<decltype(element_key<Element>::key(std::declval<const Element&>()))>;
  struct place {
    std::size_t group;     ///< by the order in which keys came
    std::size_t position;  ///< among the elements of that key
    std::size_t expected;  ///< how many these will be; 0: not known
  };

  void note(const Element& element) {
    key_type key = element_key<Element>::key(element);
    const std::size_t expected = element_key<Element>::expected(element);
    std::lock_guard lock(mutex_);
    const auto [known, is_new] = numbers_.try_emplace(std::move(key), sizes_.size());
    if (is_new) {
      sizes_.push_back(0);
      keys_.push_back(known->first);
    }
    places_.push_back({known->second, sizes_[known->second]++, expected});
  }
  place of(std::uint32_t index) {
    std::lock_guard lock(mutex_);
    return places_.at(index);
  }
  key_type key(std::size_t group) {
    std::lock_guard lock(mutex_);
    return keys_.at(group);
  }

 private:
  std::mutex mutex_;
  std::map<key_type, std::size_t> numbers_;
  std::vector<key_type> keys_;
  std::vector<std::size_t> sizes_;
  std::vector<place> places_;
};

template <class Element>
generator<Element> note_generated(generator<Element> from, std::shared_ptr<key_groups<Element>> groups) {
  while (std::optional<Element> element = co_await from.next()) {
    groups->note(*element);
    co_yield std::move(*element);
  }
}

/// The same elements; their keys are noted no later than they are handed out.
template <class R, class Element>
decltype(auto) note_keys(R&& elements, std::shared_ptr<key_groups<Element>> groups) {
  if constexpr (is_generator<std::remove_cvref_t<R>>::value) {
    static_assert(!std::is_lvalue_reference_v<R>,
                  "corolith: an async generator is used up by a map: pass it with std::move");
    return note_generated(std::move(elements), std::move(groups));
  } else if constexpr (eager_range<R>) {
    for (const auto& element : elements) groups->note(element);
    return static_cast<R&&>(elements);
  } else {
    return std::views::transform(std::views::all(std::forward<R>(elements)), [groups](auto&& element) {
      groups->note(element);
      return Element(static_cast<decltype(element)>(element));
    });
  }
}

/// The results that one key has so far.
template <class T>
struct key_results {
  std::vector<std::optional<T>> values;
  std::size_t arrived = 0;

  void put(std::size_t position, T value) {
    if (position >= values.size()) values.resize(position + 1);
    values[position].emplace(std::move(value));
    ++arrived;
  }
  std::vector<T> take() {
    std::vector<T> all;
    all.reserve(values.size());
    for (std::optional<T>& each : values) all.push_back(std::move(*each));
    values.clear();
    return all;
  }
};

template <class Executor, class Reducer, class T, class Element>
auto reduce_by_key(Executor ex, Reducer reducer, batch<T> mapped, std::shared_ptr<key_groups<Element>> groups)
    -> task<std::map<typename key_groups<Element>::key_type,
                     typename codec::single_call<Reducer, std::vector<T>>::result_type>> {
  using result_type = typename codec::single_call<Reducer, std::vector<T>>::result_type;
  static_assert(!std::is_void_v<result_type>, "corolith: a reducer of map_reduce_by_key must return something");
  std::map<std::size_t, key_results<T>> open;
  std::map<std::size_t, future<result_type>> reduced;
  while (std::optional<completed<T>> done = co_await mapped.next()) {
    const auto place = groups->of(done->index);
    key_results<T>& results = open[place.group];
    results.put(place.position, std::move(done->value));
    if (results.arrived != place.expected) continue;
    reduced.emplace(place.group, ex.call(reducer, results.take()));
    open.erase(place.group);
  }
  mapped.share()->check_complete();
  for (auto& [group, results] : open) reduced.emplace(group, ex.call(reducer, results.take()));
  std::map<typename key_groups<Element>::key_type, result_type> all;
  for (auto& [group, result] : reduced) {
    result_type value = co_await result;
    all.emplace(groups->key(group), std::move(value));
  }
  co_return all;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
