// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/detail/fail.hpp>
#include <corolith/core/bytes.hpp>
#include <corolith/core/page_faults.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

// How each type of the standard library is written and read. cereal's own loaders resize containers by a length that
// nobody checked, so the archives never reach them for these types, whether or not the user included
// cereal/types/*.hpp.
//
// std_type<T> (specialised for the types that are handled) has
//   parts              the types inside, for the `serialisable` check
//   save(archive, v)   and load(archive, v); without load the type can only be sent (span, string_view)
namespace corolith::inline v0::codec::detail {

template <class... T>
struct type_list {};

template <class T>
struct std_type {
  static constexpr bool missing = true;
};

template <class T>
concept has_std_type = !requires { std_type<T>::missing; };

/// Written as its bytes, so that a run of them is one memcpy. bool is not: not every byte is a bool.
template <class T>
concept plain_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

template <class T>
concept bulk = plain_number<T> || std::is_same_v<T, std::byte>;

template <class Archive, class T>
void save_run(Archive& archive, const T* data, std::size_t count) {
  if constexpr (bulk<T>) {
    archive.write(data, count * sizeof(T));
  } else {
    for (std::size_t i = 0; i < count; ++i) archive.save_element(data[i]);
  }
}

template <class Archive, class T>
void save_counted_run(Archive& archive, const T* data, std::size_t count) {
  archive.write_length(count);
  if constexpr (bulk<T>) archive.template write_padding<T>(count);
  save_run(archive, data, count);
}

/// A fixed run: its number of elements is part of the type, so no length is written.
template <class Archive, class T>
void load_fixed_run(Archive& archive, T* data, std::size_t count) {
  if constexpr (bulk<T>) {
    archive.read(data, count * sizeof(T));
  } else {
    for (std::size_t i = 0; i < count; ++i) archive.load_one(data[i]);
  }
}

/// A vector or string of numbers, whose length has been checked.
template <class Archive, class Container>
void load_bulk(Archive& archive, Container& value, std::size_t count) {
  // It zeroes what it grows by: a piece at a time, so that a large one is zeroed in the cache and not in memory. Huge pages were slower than small ones that
  // are made in pieces, too: the system had to move others for them.
  using T = typename Container::value_type;
  constexpr std::size_t piece = (std::size_t{1} << 17) / sizeof(T);
  const bool many = count >= many_pages_from / sizeof(T);
  value.clear();
  value.reserve(count);
  for (std::size_t done = 0; done < count; done = value.size()) {
    const std::size_t step = count - done < piece ? count - done : piece;
    if (many) make_pages(value.data() + done, step * sizeof(T));
    value.resize(done + step);
    archive.read(value.data() + done, step * sizeof(T));
  }
}

// Sequences
// ----------------------------------------------------------------------------------------------------------------

template <class T, class A>
struct std_type<std::vector<T, A>> {
  using parts = type_list<T>;
  template <class Archive>
  static void save(Archive& archive, const std::vector<T, A>& value) {
    save_counted_run(archive, value.data(), value.size());
  }
  template <class Archive>
  static void load(Archive& archive, std::vector<T, A>& value) {
    if constexpr (bulk<T>) {
      const std::size_t count = archive.template read_length<T>();
      archive.template skip_padding<T>(count);
      load_bulk(archive, value, count);
    } else {
      const std::size_t count = archive.template read_length<T>();
      value.clear();
      value.reserve(archive.template affordable<T>(count));
      for (std::size_t i = 0; i < count; ++i) archive.load_element(value.emplace_back());
    }
  }
};

// Eight to a byte, the first in the lowest bit.
template <class A>
struct std_type<std::vector<bool, A>> {
  using parts = type_list<>;
  template <class Archive>
  static void save(Archive& archive, const std::vector<bool, A>& value) {
    archive.write_length(value.size());
    for (std::size_t i = 0; i < value.size(); i += 8) {
      unsigned bits = 0;
      for (std::size_t j = i; j < value.size() && j < i + 8; ++j) bits |= static_cast<unsigned>(value[j]) << (j - i);
      archive.save_one(static_cast<std::uint8_t>(bits));
    }
  }
  template <class Archive>
  static void load(Archive& archive, std::vector<bool, A>& value) {
    const std::uint64_t count = archive.read_varint();
    if (count / 8 + (count % 8 != 0) > archive.left()) fail_length(count, archive.left());
    value.assign(static_cast<std::size_t>(count), false);
    for (std::size_t i = 0; i < value.size(); i += 8) {
      std::uint8_t bits = 0;
      archive.load_one(bits);
      for (std::size_t j = i; j < value.size() && j < i + 8; ++j) value[j] = ((bits >> (j - i)) & 1) != 0;
    }
  }
};

template <class C, class Traits, class A>
struct std_type<std::basic_string<C, Traits, A>> {
  using parts = type_list<C>;
  template <class Archive>
  static void save(Archive& archive, const std::basic_string<C, Traits, A>& value) {
    save_counted_run(archive, value.data(), value.size());
  }
  template <class Archive>
  static void load(Archive& archive, std::basic_string<C, Traits, A>& value) {
    const std::size_t count = archive.template read_length<C>();
    archive.template skip_padding<C>(count);
    load_bulk(archive, value, count);
  }
};

template <class C, class Traits>
struct std_type<std::basic_string_view<C, Traits>> {
  using parts = type_list<C>;
  template <class Archive>
  static void save(Archive& archive, std::basic_string_view<C, Traits> value) {
    save_counted_run(archive, value.data(), value.size());
  }
};

template <class T, std::size_t Extent>
struct std_type<std::span<T, Extent>> {
  using parts = type_list<std::remove_cv_t<T>>;
  template <class Archive>
  static void save(Archive& archive, std::span<T, Extent> value) {
    if constexpr (Extent == std::dynamic_extent)
      save_counted_run(archive, value.data(), value.size());
    else  // like std::array
      save_run(archive, value.data(), value.size());
  }
};

template <class T, std::size_t N>
struct std_type<std::array<T, N>> {
  using parts = type_list<T>;
  template <class Archive>
  static void save(Archive& archive, const std::array<T, N>& value) {
    save_run(archive, value.data(), N);
  }
  template <class Archive>
  static void load(Archive& archive, std::array<T, N>& value) {
    load_fixed_run(archive, value.data(), N);
  }
};

template <class T, std::size_t N>
struct std_type<T[N]> {
  using parts = type_list<T>;
  template <class Archive>
  static void save(Archive& archive, const T (&value)[N]) {
    save_run(archive, value, N);
  }
  template <class Archive>
  static void load(Archive& archive, T (&value)[N]) {
    load_fixed_run(archive, value, N);
  }
};

template <class Container>
struct list_like {
  using parts = type_list<typename Container::value_type>;
  template <class Archive>
  static void save(Archive& archive, const Container& value) {
    archive.write_length(value.size());
    for (const auto& element : value) archive.save_element(element);
  }
  template <class Archive>
  static void load(Archive& archive, Container& value) {
    const std::size_t count = archive.template read_length<typename Container::value_type>();
    value.clear();
    for (std::size_t i = 0; i < count; ++i) archive.load_element(value.emplace_back());
  }
};
template <class T, class A>
struct std_type<std::deque<T, A>> : list_like<std::deque<T, A>> {};
template <class T, class A>
struct std_type<std::list<T, A>> : list_like<std::list<T, A>> {};

// shared_bytes: a length and the bytes. Read from an archive that shares its input it is a slice of that, without a
// copy.
template <>
struct std_type<shared_bytes> {
  using parts = type_list<>;
  template <class Archive>
  static void save(Archive& archive, const shared_bytes& value) {
    archive.write_length(value.size());
    archive.write(value.data(), value.size());
  }
  template <class Archive>
  static void load(Archive& archive, shared_bytes& value) {
    value = archive.take_bytes(archive.template read_length<std::byte>());
  }
};

// Sets and maps
// ------------------------------------------------------------------------------------------------------------

template <class Container>
struct set_like {
  using parts = type_list<typename Container::key_type>;
  template <class Archive>
  static void save(Archive& archive, const Container& value) {
    archive.write_length(value.size());
    for (const auto& element : value) archive.save_element(element);
  }
  template <class Archive>
  static void load(Archive& archive, Container& value) {
    using key_type = typename Container::key_type;
    const std::size_t count = archive.template read_length<key_type>();
    value.clear();
    if constexpr (requires { value.reserve(count); }) value.reserve(archive.template affordable<key_type>(count));
    for (std::size_t i = 0; i < count; ++i) {
      key_type key{};
      archive.load_element(key);
      // Elements were written in order; the hint is right for ordered sets and harmless for the others.
      value.emplace_hint(value.end(), std::move(key));
    }
  }
};
template <class K, class C, class A>
struct std_type<std::set<K, C, A>> : set_like<std::set<K, C, A>> {};
template <class K, class C, class A>
struct std_type<std::multiset<K, C, A>> : set_like<std::multiset<K, C, A>> {};
template <class K, class H, class E, class A>
struct std_type<std::unordered_set<K, H, E, A>> : set_like<std::unordered_set<K, H, E, A>> {};
template <class K, class H, class E, class A>
struct std_type<std::unordered_multiset<K, H, E, A>> : set_like<std::unordered_multiset<K, H, E, A>> {};

template <class Container>
struct map_like {
  using parts = type_list<typename Container::key_type, typename Container::mapped_type>;
  template <class Archive>
  static void save(Archive& archive, const Container& value) {
    archive.write_length(value.size());
    for (const auto& element : value) archive.save_element(element);
  }
  template <class Archive>
  static void load(Archive& archive, Container& value) {
    using pair_type = std::pair<typename Container::key_type, typename Container::mapped_type>;
    const std::size_t count = archive.template read_length<pair_type>();
    value.clear();
    if constexpr (requires { value.reserve(count); }) value.reserve(archive.template affordable<pair_type>(count));
    for (std::size_t i = 0; i < count; ++i) {
      pair_type element{};
      archive.load_element(element);
      value.emplace_hint(value.end(), std::move(element));
    }
  }
};
template <class K, class V, class C, class A>
struct std_type<std::map<K, V, C, A>> : map_like<std::map<K, V, C, A>> {};
template <class K, class V, class C, class A>
struct std_type<std::multimap<K, V, C, A>> : map_like<std::multimap<K, V, C, A>> {};
template <class K, class V, class H, class E, class A>
struct std_type<std::unordered_map<K, V, H, E, A>> : map_like<std::unordered_map<K, V, H, E, A>> {};
template <class K, class V, class H, class E, class A>
struct std_type<std::unordered_multimap<K, V, H, E, A>> : map_like<std::unordered_multimap<K, V, H, E, A>> {};

// Products and sums
// --------------------------------------------------------------------------------------------------------

template <class A, class B>
struct std_type<std::pair<A, B>> {
  using parts = type_list<std::remove_cv_t<A>, std::remove_cv_t<B>>;
  template <class Archive>
  static void save(Archive& archive, const std::pair<A, B>& value) {
    archive.save_one(value.first);
    archive.save_one(value.second);
  }
  template <class Archive>
  static void load(Archive& archive, std::pair<A, B>& value) {
    archive.load_one(value.first);
    archive.load_one(value.second);
  }
};

template <class... T>
struct std_type<std::tuple<T...>> {
  using parts = type_list<T...>;
  template <class Archive>
  static void save([[maybe_unused]] Archive& archive, const std::tuple<T...>& value) {
    std::apply([&](const T&... element) { (archive.save_one(element), ...); }, value);
  }
  template <class Archive>
  static void load([[maybe_unused]] Archive& archive, std::tuple<T...>& value) {
    std::apply([&](T&... element) { (archive.load_one(element), ...); }, value);
  }
};

template <class T>
struct std_type<std::optional<T>> {
  using parts = type_list<T>;
  template <class Archive>
  static void save(Archive& archive, const std::optional<T>& value) {
    archive.save_one(value.has_value());
    if (value) archive.save_one(*value);
  }
  template <class Archive>
  static void load(Archive& archive, std::optional<T>& value) {
    bool present = false;
    archive.load_one(present);
    value.reset();
    if (present) archive.load_one(value.emplace());
  }
};

template <>
struct std_type<std::monostate> {
  using parts = type_list<>;
  template <class Archive>
  static void save(Archive&, std::monostate) {}
  template <class Archive>
  static void load(Archive&, std::monostate&) {}
};

template <class... T>
struct std_type<std::variant<T...>> {
  using parts = type_list<T...>;
  template <class Archive>
  static void save(Archive& archive, const std::variant<T...>& value) {
    if (value.valueless_by_exception()) fail("a std::variant that is valueless_by_exception cannot be sent");
    archive.write_length(value.index());
    std::visit([&](const auto& alternative) { archive.save_one(alternative); }, value);
  }
  template <class Archive>
  static void load(Archive& archive, std::variant<T...>& value) {
    const std::uint64_t index = archive.read_varint();
    if (index >= sizeof...(T))
      fail("a std::variant has no alternative of that index (corrupt, or written as another type)");
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)((I == index && (archive.load_one(value.template emplace<I>()), true)) || ...);
    }(std::index_sequence_for<T...>{});
  }
};

}  // namespace corolith::inline v0::codec::detail
