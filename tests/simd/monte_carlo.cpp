// SPDX-License-Identifier: Apache-2.0
#include <corolith/simd/detail/philox.hpp>
#include <corolith/simd/monte_carlo.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

namespace simd = corolith::simd;
using simd::count_in_quarter_circle;
using simd::detail::philox;
using simd::detail::philox_block;

namespace {

/// As the documentation says it, with nothing but the generator from the library.
std::uint64_t counted_by_hand(std::uint64_t seed, std::uint64_t first, std::uint64_t samples) {
  std::uint64_t count = 0;
  for (std::uint64_t sample = first; sample != first + samples; ++sample) {
    const std::uint64_t block = sample / 2;
    const philox_block numbers =
        philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
               {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    const std::uint64_t x = numbers[sample % 2 == 0 ? 0 : 2], y = numbers[sample % 2 == 0 ? 1 : 3];
    const std::uint64_t sum = x * x + y * y;
    const bool carries = sum < x * x;
    count += carries ? 0 : 1;
  }
  return count;
}

template <class Body>
void with_each_set(const Body& body) {
  for (const simd::instruction_set set : simd::usable_instruction_sets()) {
    INFO(simd::name_of(set));
    simd::use_instruction_set(set);
    body();
  }
  simd::use_instruction_set(simd::usable_instruction_sets().back());
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of its authors") {  // kat_vectors of Random123
  static_assert(philox({0, 0, 0, 0}, {0, 0}) == philox_block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == philox_block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        philox_block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("every instruction set counts what is counted one by one") {
  with_each_set([] {
    for (const std::uint64_t seed : {0ULL, 42ULL, 0xfedcba9876543210ULL, ~0ULL})
      for (const std::uint64_t first : {0ULL, 1ULL, 239ULL, 1'000'000'007ULL})
        for (const std::uint64_t samples : {0ULL, 1ULL, 2ULL, 3ULL, 239ULL, 240ULL, 241ULL, 242ULL, 1000ULL, 4801ULL}) {
          INFO("seed " << seed << ", first " << first << ", samples " << samples);
          REQUIRE(count_in_quarter_circle(seed, first, samples) == counted_by_hand(seed, first, samples));
        }
  });
}

TEST_CASE("block numbers go on past 32 bits, and up to the last") {
  with_each_set([] {
    const std::uint64_t boundary = std::uint64_t{1} << 33;
    for (const std::uint64_t before : {0ULL, 1ULL, 240ULL, 481ULL, 2000ULL})
      CHECK(count_in_quarter_circle(7, boundary - before, 4000) == counted_by_hand(7, boundary - before, 4000));
    CHECK(count_in_quarter_circle(7, 5 * boundary - 1000, 2000) == counted_by_hand(7, 5 * boundary - 1000, 2000));
    CHECK(count_in_quarter_circle(7, ~0ULL - 3000, 3000) == counted_by_hand(7, ~0ULL - 3000, 3000));
  });
}

TEST_CASE("counts of parts add up to that of the whole, however it is split") {
  std::mt19937_64 random(11);
  constexpr std::uint64_t samples = 100'000;
  simd::use_instruction_set(simd::usable_instruction_sets().front());
  const std::uint64_t whole = count_in_quarter_circle(5, 17, samples);
  with_each_set([&] {
    CHECK(count_in_quarter_circle(5, 17, samples) == whole);
    for (int split = 0; split < 20; ++split) {
      std::uint64_t sum = 0;
      for (std::uint64_t done = 0; done != samples;) {
        const std::uint64_t part = std::min<std::uint64_t>(samples - done, random() % 5000);
        sum += count_in_quarter_circle(5, 17 + done, part);
        done += part;
      }
      CHECK(sum == whole);
    }
  });
}

TEST_CASE("other seeds and other samples give other points") {
  CHECK(count_in_quarter_circle(1, 0, 1'000'000) != count_in_quarter_circle(2, 0, 1'000'000));
  CHECK(count_in_quarter_circle(1, 0, 1'000'000) != count_in_quarter_circle(1, 1'000'000, 1'000'000));
  CHECK(count_in_quarter_circle(1, 0, 1'000'000) != count_in_quarter_circle(std::uint64_t{1} << 32, 0, 1'000'000));
}

TEST_CASE("the estimate is as near to pi as chance allows") {
  constexpr std::uint64_t samples = 20'000'000;
  const double p = std::acos(-1.0) / 4, sigma = std::sqrt(static_cast<double>(samples) * p * (1 - p));
  for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL, 0x123456789abcdefULL}) {
    const double count = static_cast<double>(count_in_quarter_circle(seed, 0, samples));
    // Beyond 6.5 standard deviations lies less than one of 10^10; so in four seeds, one of 10^9.
    CHECK(std::abs(count - static_cast<double>(samples) * p) < 6.5 * sigma);
  }
}
