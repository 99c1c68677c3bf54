// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace simd = corolith::simd;
using simd::instruction_set;

namespace {

const instruction_set every[] = {instruction_set::sse2, instruction_set::avx2, instruction_set::avx512,
                                 instruction_set::neon};

bool is_usable(instruction_set set) {
  const std::vector<instruction_set>& usable = simd::usable_instruction_sets();
  return std::find(usable.begin(), usable.end(), set) != usable.end();
}

}  // namespace

TEST_CASE("a machine has at least the set that every processor of its family has") {
#if defined(__aarch64__)
  CHECK(simd::usable_instruction_sets() == std::vector{instruction_set::neon});
#else
  REQUIRE(is_usable(instruction_set::sse2));
  CHECK(simd::usable_instruction_sets().front() == instruction_set::sse2);
  CHECK_FALSE(is_usable(instruction_set::neon));
#endif
}

TEST_CASE("usable sets are in order of speed, each once") {
  const std::vector<instruction_set>& usable = simd::usable_instruction_sets();
  CHECK(std::adjacent_find(usable.begin(), usable.end(), [](auto a, auto b) { return a >= b; }) == usable.end());
  CHECK(std::is_sorted(usable.begin(), usable.end(),
                       [](auto a, auto b) { return simd::register_size(a) < simd::register_size(b); }));
}

TEST_CASE("every usable set can be made the active one") {
  const instruction_set before = simd::active_instruction_set();
  for (const instruction_set set : simd::usable_instruction_sets()) {
    simd::use_instruction_set(set);
    CHECK(simd::active_instruction_set() == set);
  }
  simd::use_instruction_set(before);
}

TEST_CASE("a set that is not usable is refused, and the active one stays") {
  const instruction_set before = simd::active_instruction_set();
  for (const instruction_set set : every) {
    if (is_usable(set)) continue;
    INFO(simd::name_of(set));
    CHECK_THROWS_AS(simd::use_instruction_set(set), corolith::config_error);
    CHECK(simd::active_instruction_set() == before);
  }
}

TEST_CASE("names are those that COROLITH_SIMD takes") {
  std::vector<std::string> names;
  for (const instruction_set set : every) names.emplace_back(simd::name_of(set));
  CHECK(names == std::vector<std::string>{"sse2", "avx2", "avx512", "neon"});
}

TEST_CASE("prints the usable sets and the active one", "[.environment]") {  // for environment.sh
  for (const instruction_set set : simd::usable_instruction_sets())
    std::printf("usable %s\n", std::string(simd::name_of(set)).c_str());
  try {
    std::printf("active %s\n", std::string(simd::name_of(simd::active_instruction_set())).c_str());
  } catch (const corolith::config_error& e) {
    std::printf("config_error %s\n", e.what());
  }
}
