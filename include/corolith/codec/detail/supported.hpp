// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/aggregate.hpp>
#include <corolith/codec/detail/more_types.hpp>

#include <cereal/cereal.hpp>

namespace corolith::inline v0::codec {

class output_archive;
class input_archive;

namespace detail {

template <class T>
concept number_or_enum = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// The class says itself how it is written, in one of cereal's ways.
template <class T>
concept saved_by_user =
    std::is_class_v<T> && (cereal::traits::detail::count_output_serializers<T, output_archive>::value != 0);
template <class T>
concept loaded_by_user =
    std::is_class_v<T> && (cereal::traits::detail::count_input_serializers<T, input_archive>::value != 0);

enum class direction { save, load };

template <direction D, class T, class... Seen>
constexpr bool supported() noexcept;

template <direction D, class... Seen, class... Parts>
constexpr bool all_supported(type_list<Parts...>) noexcept {
  return (supported<D, Parts, Seen...>() && ...);
}

template <class... Member>
constexpr type_list<Member...> types_of(Member&...) noexcept {
  return {};
}

// `Seen` holds the types that are being looked at, for types that contain themselves by way of a pointer or a
// container.
template <direction D, class T, class... Seen>
constexpr bool supported() noexcept {
  if constexpr ((std::is_same_v<T, Seen> || ...)) {
    return true;
  } else if constexpr (D == direction::save && std::is_const_v<T>) {
    return supported<D, std::remove_const_t<T>, Seen...>();
  } else if constexpr (std::is_const_v<T> || std::is_volatile_v<T> || std::is_reference_v<T> || std::is_pointer_v<T> ||
                       std::is_member_pointer_v<T> || std::is_void_v<T> || std::is_function_v<T>) {
    return false;
  } else if constexpr (number_or_enum<T>) {
    return true;
  } else if constexpr (has_std_type<T>) {
    if constexpr (D == direction::load && !requires { &std_type<T>::template load<input_archive>; })
      return false;
    else
      return all_supported<D, T, Seen...>(typename std_type<T>::parts{});
  } else if constexpr (D == direction::load && !std::is_default_constructible_v<T>) {
    return false;
  } else if constexpr (D == direction::save && saved_by_user<T>) {
    return cereal::traits::is_output_serializable<T, output_archive>::value;
  } else if constexpr (D == direction::load && loaded_by_user<T>) {
    return cereal::traits::is_input_serializable<T, input_archive>::value;
  } else if constexpr (std::is_empty_v<T>) {
    return true;
  } else if constexpr (plain_aggregate<T>) {
    using members = decltype(with_members(std::declval<T&>(), [](auto&... m) { return types_of(m...); }));
    return all_supported<D, T, Seen...>(members{});
  } else {
    return false;
  }
}

}  // namespace detail

/// A value of type T can be written: numbers, enums, the types of the standard library, plain aggregates of such,
/// classes with cereal's serialize / save, and views (std::span, std::string_view).
template <class T>
concept encodable = detail::supported<detail::direction::save, std::remove_cv_t<T>>();

/// A value of type T can be read. Classes need a default constructor; views cannot be read.
template <class T>
concept decodable = std::is_object_v<T> && detail::supported<detail::direction::load, std::remove_cv_t<T>>();

/// A value of type T can be sent and received.
template <class T>
concept serialisable = encodable<T> && decodable<T>;

}  // namespace corolith::inline v0::codec
