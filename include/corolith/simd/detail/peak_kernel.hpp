// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// What the chains compute: x * factor + summand, again and again. Not to be known when the loop is compiled: a compiler that
/// sees a step undo the one before leaves both out.
template <class T>
struct peak_numbers {
  T start = T(1);
  T distance = T(0.04);  ///< between the starts of two chains
  T factor = T(1.25);
  T summand = T(0.7);
};

template <class T>
struct peak_work {
  std::uint64_t flops = 0;
  T mean{};  ///< of all chains, which stay near to where they began
};

/// Multiplications and additions on registers alone, in more independent chains than the units can have under way.
template <class T>
struct peak_kernel {
  template <class Set>
  peak_work<T> operator()(Set, const peak_numbers<T>& numbers, std::uint64_t rounds) const;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
