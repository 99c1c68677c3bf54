// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/simd/triad.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace simd = corolith::simd;
using simd::detail::stream_operation;

namespace {

struct freed {
  void operator()(double* memory) const { std::free(memory); }
};
using array = std::unique_ptr<double[], freed>;

array make_array(std::size_t size, double first) {
  array made(static_cast<double*>(std::aligned_alloc(64, size * sizeof(double))));
  for (std::size_t i = 0; i < size; ++i) made[i] = first + static_cast<double>(i);
  return made;
}

double expected(stream_operation operation, double x, double y, double factor) {
  switch (operation) {
    case stream_operation::copy: return x;
    case stream_operation::scale: return factor * x;
    case stream_operation::add: return x + y;
    case stream_operation::triad: return x + factor * y;
  }
  return 0;
}

}  // namespace

TEST_CASE("each operation of STREAM writes its result and nothing else, with every instruction set") {
  constexpr std::size_t size = 80, margin = 8;
  for (const simd::instruction_set set : simd::usable_instruction_sets())
    for (const bool past_caches : {false, true})
      for (const auto operation :
           {stream_operation::copy, stream_operation::scale, stream_operation::add, stream_operation::triad}) {
        INFO(simd::name_of(set) << ", operation " << static_cast<int>(operation) << ", past caches " << past_caches);
        simd::use_instruction_set(set);
        const array to = make_array(size + 2 * margin, -1000), x = make_array(size, 1), y = make_array(size, 500);
        simd::detail::dispatch(simd::detail::stream_kernel{}, operation, to.get() + margin,
                               static_cast<const double*>(x.get()), static_cast<const double*>(y.get()), 0.5, size,
                               past_caches);
        for (std::size_t i = 0; i < size; ++i) REQUIRE(to[margin + i] == expected(operation, x[i], y[i], 0.5));
        for (std::size_t i = 0; i < margin; ++i) {
          REQUIRE(to[i] == -1000 + static_cast<double>(i));
          REQUIRE(to[margin + size + i] == -1000 + static_cast<double>(margin + size + i));
        }
      }
  simd::use_instruction_set(simd::usable_instruction_sets().back());
}

TEST_CASE("bandwidths are positive and the arrays hold what they should") {
  for (const simd::instruction_set set : simd::usable_instruction_sets())
    for (const simd::stores kind : {simd::stores::ordinary, simd::stores::streaming})
      for (const unsigned threads : {1U, 2U, 3U}) {
        INFO(simd::name_of(set) << ", " << threads << " threads");
        simd::use_instruction_set(set);
        const simd::bandwidth seen =
            simd::measure_triad({.elements = 20'001, .threads = threads, .repeats = 3, .kind = kind});
        CHECK(seen.verified);
        CHECK(seen.elements == 20'008);
        CHECK(seen.threads == threads);
        CHECK(seen.set == set);
        for (const double rate : {seen.copy, seen.scale, seen.add, seen.triad}) {
          CHECK(std::isfinite(rate));
          CHECK(rate > 0);
        }
      }
  simd::use_instruction_set(simd::usable_instruction_sets().back());
}

TEST_CASE("more threads than cache lines are no harm") {
  CHECK(simd::measure_triad({.elements = 1, .threads = 3, .repeats = 2}).verified);
}

TEST_CASE("many repeats neither grow nor vanish") {
  CHECK(simd::measure_triad({.elements = 64, .repeats = 1000}).verified);
}

TEST_CASE("without threads or repeats there is nothing to measure") {
  CHECK_THROWS_WITH(simd::measure_triad({.elements = 8, .threads = 0}), "measure_triad: give it at least one thread");
  CHECK_THROWS_AS(simd::measure_triad({.elements = 8, .repeats = 1}), corolith::error);
}
