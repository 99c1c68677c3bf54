// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/peak_kernel.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Units times latency, and some to spare: two units of 4 cycles on x86 (5 on the oldest with FMA, 6 for a multiplication and
/// an addition), up to four units of 4 cycles on Arm. With the constants they fit into 16 registers, or 32.
template <class Set>
inline constexpr std::size_t peak_chains = 12;
template <>
inline constexpr std::size_t peak_chains<avx512> = 20;
template <>
inline constexpr std::size_t peak_chains<neon> = 24;

template <class T, class Set, std::size_t... I>
struct peak_loop {
  using vector = batch<T, Set>;

  // Arm's instruction overwrites the summand, so there x is the summand; without FMA a product of constants would leave the
  // loop, so elsewhere x is a factor. Each second step undoes the one before: nothing overflows or becomes denormal, and the
  // digits change with every step.
  static constexpr bool is_summand = std::is_same_v<Set, neon>;

  [[gnu::always_inline]] static void step(vector* x, const vector& a, const vector& b) {
    if constexpr (is_summand)
      ((x[I] = multiply_add<T, Set>(a, b, x[I])), ...);
    else
      ((x[I] = multiply_add<T, Set>(x[I], a, b)), ...);
  }

  static T run(const peak_numbers<T>& numbers, std::uint64_t rounds) {
    const T factor = numbers.factor, summand = numbers.summand;
    const vector a(factor), b(summand);
    const vector back_a(is_summand ? -factor : T(1) / factor), back_b(is_summand ? summand : -summand / factor);
    vector x[] = {vector(numbers.start + T(I) * numbers.distance)...};
    for (; rounds != 0; --rounds) {
      step(x, a, b);
      step(x, back_a, back_b);
    }
    vector all = x[0];
    for (std::size_t i = 1; i < sizeof...(I); ++i) all = all + x[i];
    T each[lanes<T, Set>], sum = 0;
    all.store_unaligned(each);
    for (const T value : each) sum += value;
    return sum / T(lanes<T, Set> * sizeof...(I));
  }
};

template <class T, class Set, std::size_t... I>
peak_loop<T, Set, I...> make_peak_loop(std::index_sequence<I...>);

template <class T>
template <class Set>
peak_work<T> peak_kernel<T>::operator()(Set, const peak_numbers<T>& numbers, std::uint64_t rounds) const {
  constexpr std::size_t chains = peak_chains<Set>;
  using loop = decltype(make_peak_loop<T, Set>(std::make_index_sequence<chains>{}));
  return {rounds * 2 * chains * lanes<T, Set> * 2, loop::run(numbers, rounds)};
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
