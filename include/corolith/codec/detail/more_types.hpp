// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/detail/std_types.hpp>

#include <bitset>
#include <chrono>
#include <complex>
#include <ratio>

// Smart pointers, time, complex numbers, bit sets and paths; see std_types.hpp.
namespace corolith::inline v0::codec::detail {

template <class T, class D>
  requires(!std::is_polymorphic_v<T> && !std::is_array_v<T>)
struct std_type<std::unique_ptr<T, D>> {
  using parts = type_list<std::remove_const_t<T>>;
  template <class Archive>
  static void save(Archive& archive, const std::unique_ptr<T, D>& value) {
    archive.save_one(value != nullptr);
    if (value) archive.save_one(*value);
  }
  template <class Archive>
  static void load(Archive& archive, std::unique_ptr<T, D>& value) {
    bool present = false;
    archive.load_one(present);
    value.reset();
    if (!present) return;
    auto made = std::make_unique<std::remove_const_t<T>>();
    archive.load_one(*made);
    value.reset(made.release());
  }
};

// 0 for null, else the number of the object in this archive counted from 1; the object itself follows its first number.
// Two pointers to one object are two pointers to one object again. The reader checks the type behind a number: cereal
// does not, so that a forged number could make it read one type as another.
template <class T>
  requires(!std::is_polymorphic_v<T> && !std::is_array_v<T>)
struct std_type<std::shared_ptr<T>> {
  using parts = type_list<std::remove_const_t<T>>;
  template <class Archive>
  static void save(Archive& archive, const std::shared_ptr<T>& value) {
    if (value == nullptr) return archive.write_length(0);
    const auto [number, is_new] = archive.number_of(value);
    archive.write_length(number);
    if (is_new) archive.save_one(*value);
  }
  template <class Archive>
  static void load(Archive& archive, std::shared_ptr<T>& value) {
    using object = std::remove_const_t<T>;
    const std::uint64_t number = archive.read_varint();
    if (number == 0) return value.reset();
    if (auto known = archive.template object_of<object>(number)) {
      value = std::move(known);
      return;
    }
    auto made = std::make_shared<object>();
    archive.add_object(number, made);
    archive.load_one(*made);
    value = std::move(made);
  }
};

template <class T>
struct std_type<std::complex<T>> {
  using parts = type_list<T>;
  template <class Archive>
  static void save(Archive& archive, const std::complex<T>& value) {
    archive.save_one(value.real());
    archive.save_one(value.imag());
  }
  template <class Archive>
  static void load(Archive& archive, std::complex<T>& value) {
    T real{}, imaginary{};
    archive.load_one(real);
    archive.load_one(imaginary);
    value = {real, imaginary};
  }
};

template <std::size_t N>
struct std_type<std::bitset<N>> {
  using parts = type_list<>;
  template <class Archive>
  static void save(Archive& archive, const std::bitset<N>& value) {
    for (std::size_t i = 0; i < N; i += 8) {
      unsigned bits = 0;
      for (std::size_t j = i; j < N && j < i + 8; ++j) bits |= static_cast<unsigned>(value[j]) << (j - i);
      archive.save_one(static_cast<std::uint8_t>(bits));
    }
  }
  template <class Archive>
  static void load(Archive& archive, std::bitset<N>& value) {
    for (std::size_t i = 0; i < N; i += 8) {
      std::uint8_t bits = 0;
      archive.load_one(bits);
      for (std::size_t j = i; j < N && j < i + 8; ++j) value[j] = ((bits >> (j - i)) & 1) != 0;
    }
  }
};

template <class Rep, class Period>
struct std_type<std::chrono::duration<Rep, Period>> {
  using parts = type_list<Rep>;
  template <class Archive>
  static void save(Archive& archive, const std::chrono::duration<Rep, Period>& value) {
    archive.save_one(value.count());
  }
  template <class Archive>
  static void load(Archive& archive, std::chrono::duration<Rep, Period>& value) {
    Rep count{};
    archive.load_one(count);
    value = std::chrono::duration<Rep, Period>(std::move(count));
  }
};

template <class Clock, class Duration>
struct std_type<std::chrono::time_point<Clock, Duration>> {
  using parts = type_list<Duration>;
  template <class Archive>
  static void save(Archive& archive, const std::chrono::time_point<Clock, Duration>& value) {
    archive.save_one(value.time_since_epoch());
  }
  template <class Archive>
  static void load(Archive& archive, std::chrono::time_point<Clock, Duration>& value) {
    Duration since{};
    archive.load_one(since);
    value = std::chrono::time_point<Clock, Duration>(since);
  }
};

// std::filesystem::path, recognised by its shape because <filesystem> costs every user more than all types above
// together.
template <class T>
concept path_like = std::is_class_v<T> && requires(const T& path) {
  typename T::string_type;
  T::preferred_separator;
  { path.native() } -> std::same_as<const typename T::string_type&>;
  path.lexically_normal();
};

template <path_like T>
struct std_type<T> {
  using parts = type_list<typename T::string_type>;
  template <class Archive>
  static void save(Archive& archive, const T& value) {
    archive.save_one(value.native());
  }
  template <class Archive>
  static void load(Archive& archive, T& value) {
    typename T::string_type text;
    archive.load_one(text);
    value = T(std::move(text));
  }
};

}  // namespace corolith::inline v0::codec::detail
