// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace corolith {
inline namespace v0 {

/// A value, or the exception that was thrown instead of it.
template <class T>
class [[nodiscard]] result {
  static_assert(!std::is_reference_v<T>, "a result owns its value: use a pointer or std::reference_wrapper");
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  using value_type = T;

  result()
    requires std::is_void_v<T>
      : content_(std::in_place_index<0>) {}
  template <class... Args>
  explicit result(std::in_place_t, Args&&... args) : content_(std::in_place_index<0>, std::forward<Args>(args)...) {}
  result(stored value)
    requires(!std::is_void_v<T>)
      : content_(std::in_place_index<0>, std::move(value)) {}
  explicit result(std::exception_ptr error) noexcept : content_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws the exception when there is none.
  std::add_lvalue_reference_t<T> value() & {
    check();
    if constexpr (!std::is_void_v<T>) return *std::get_if<0>(&content_);
  }
  std::add_lvalue_reference_t<std::add_const_t<T>> value() const& {
    check();
    if constexpr (!std::is_void_v<T>) return *std::get_if<0>(&content_);
  }
  T value() && {
    check();
    if constexpr (!std::is_void_v<T>) return std::move(*std::get_if<0>(&content_));
  }

  /// The exception; null when there is a value.
  std::exception_ptr error() const noexcept {
    const std::exception_ptr* held = std::get_if<1>(&content_);
    return held != nullptr ? *held : nullptr;
  }

 private:
  void check() const {
    if (const std::exception_ptr* held = std::get_if<1>(&content_)) std::rethrow_exception(*held);
  }

  std::variant<stored, std::exception_ptr> content_;
};

}  // namespace v0
}  // namespace corolith
