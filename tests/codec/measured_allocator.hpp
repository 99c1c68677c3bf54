// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

/// Counts what containers ask for, so that a test can see that a lie in the bytes did not make them ask for it.
struct measured {
  inline static std::size_t in_use = 0, peak = 0;
  static void reset() { peak = in_use; }
};

template <class T>
struct measured_allocator {
  using value_type = T;
  measured_allocator() = default;
  template <class U>
  measured_allocator(const measured_allocator<U>&) noexcept {}
  T* allocate(std::size_t n) {
    measured::in_use += n * sizeof(T);
    measured::peak = std::max(measured::peak, measured::in_use);
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* place, std::size_t n) noexcept {
    measured::in_use -= n * sizeof(T);
    std::allocator<T>().deallocate(place, n);
  }
  friend bool operator==(const measured_allocator&, const measured_allocator&) = default;
};

template <class T>
using measured_vector = std::vector<T, measured_allocator<T>>;
using measured_string = std::basic_string<char, std::char_traits<char>, measured_allocator<char>>;
template <class K, class V>
using measured_map = std::map<K, V, std::less<K>, measured_allocator<std::pair<const K, V>>>;
template <class K, class V>
using measured_hash_map =
    std::unordered_map<K, V, std::hash<K>, std::equal_to<K>, measured_allocator<std::pair<const K, V>>>;
