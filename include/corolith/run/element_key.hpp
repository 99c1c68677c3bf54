// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/storage/slice.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {

/// By what `map_reduce_by_key` groups its elements. Specialise it for your own: `key` gives the key, which can be compared with <, and
/// `expected` how many elements will have it, 0 when that is not known before the end.
template <class Element>
struct element_key;

template <>
struct element_key<object_slice> {
  static std::string key(const object_slice& slice) { return slice.key; }
  static std::uint32_t expected(const object_slice& slice) noexcept { return slice.count; }
};

template <class Key, class Value>
struct element_key<std::pair<Key, Value>> {
  static Key key(const std::pair<Key, Value>& element) { return element.first; }
  static std::uint32_t expected(const std::pair<Key, Value>&) noexcept { return 0; }
};

}  // namespace v0
}  // namespace corolith
