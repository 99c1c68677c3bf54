// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/monte_carlo_kernel.hpp>
#include <corolith/simd/impl/philox_lanes.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// How many groups of blocks, one to a lane, are under way at once: a round waits for its multiplication, and a group needs four
/// registers. Of 16 registers three groups spill a few, which costs less than waiting.
template <class Set>
inline constexpr std::size_t monte_carlo_groups = 3;
template <>
inline constexpr std::size_t monte_carlo_groups<avx512> = 5;
template <>
inline constexpr std::size_t monte_carlo_groups<neon> = 5;

/// 1 in the lanes in which x^2 + y^2 >= 2^64, else 0. Halves of the squares decide it although they lose their last bits: those
/// would matter only to two odd squares whose sum is 2^64, and modulo 8 that is 2.
template <class Set>
[[gnu::always_inline]] inline words<Set> outside(const words<Set>& x, const words<Set>& y) {
  return shift_words<63, Set>(shift_words<1, Set>(multiply_words<Set>(x, x)) +
                              shift_words<1, Set>(multiply_words<Set>(y, y)));
}

template <class Set, std::size_t... I>
struct monte_carlo_loop {
  static constexpr std::size_t width = lanes<std::uint64_t, Set>;
  static constexpr std::uint64_t blocks = width * sizeof...(I);
  static_assert(monte_carlo_step % blocks == 0);

  template <int... Round>
  [[gnu::always_inline]] static void finish(philox_words<Set>* x, const philox_constants<Set>& constants,
                                            std::integer_sequence<int, Round...>) {
    const auto round = [&](int i) { (x[I].round(constants.key0[i], constants.key1[i]), ...); };
    (round(2 + Round), ...);
  }

  static std::uint64_t run(const philox_constants<Set>& constants, std::uint64_t first, std::uint64_t turns) {
    std::uint64_t numbers[width];
    for (std::size_t lane = 0; lane < width; ++lane) numbers[lane] = first + lane;
    words<Set> number = words<Set>::load_unaligned(numbers), count(std::uint64_t{0});
    for (; turns != 0; --turns) {
      philox_words<Set> x[] = {{number + words<Set>(std::uint64_t{I * width}), constants}...};
      finish(x, constants, std::make_integer_sequence<int, philox_rounds - 2>());
      ((count = count + outside<Set>(x[I].c0, x[I].c1) + outside<Set>(x[I].c2, x[I].c3)), ...);
      number = number + words<Set>(blocks);
    }
    count.store_unaligned(numbers);
    std::uint64_t sum = 0;
    for (const std::uint64_t each : numbers) sum += each;
    return sum;
  }
};

template <class Set, std::size_t... I>
monte_carlo_loop<Set, I...> make_monte_carlo_loop(std::index_sequence<I...>);

template <class Set>
std::uint64_t monte_carlo_kernel::operator()(Set, std::uint64_t seed, std::uint64_t first, std::uint64_t steps) const {
  using loop = decltype(make_monte_carlo_loop<Set>(std::make_index_sequence<monte_carlo_groups<Set>>{}));
  const philox_constants<Set> constants(seed, static_cast<std::uint32_t>(first >> 32));
  const std::uint64_t all = 2 * monte_carlo_step * steps;
  return all - loop::run(constants, first, steps * (monte_carlo_step / loop::blocks));
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
