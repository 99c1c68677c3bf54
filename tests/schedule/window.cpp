// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <corolith/schedule/window.hpp>

using namespace corolith::schedule;

namespace {
std::uint32_t depth_for(std::int64_t duration_ns, const batch_options& options = {}, std::uint32_t current = 1,
                        std::uint64_t largest_bytes = 0) {
  duration_estimate estimate;
  for (int i = 0; i < 100; ++i) estimate.add(duration_ns);
  return depth_of({}, options, estimate, largest_bytes, current);
}
}  // namespace

TEST_CASE("one call a slot until something is measured") { REQUIRE(depth_of({}, {}, {}, 0, 1) == 1); }

TEST_CASE("short calls queue, of long ones one") {
  REQUIRE(depth_for(500) == 256);
  REQUIRE(depth_for(0) == 256);
  REQUIRE(depth_for(100'000) == 32);
  REQUIRE(depth_for(5'000'000) == 2);
  REQUIRE(depth_for(1'000'000'000) == 2);
}

TEST_CASE("long calls with large elements do not queue, short ones do") {
  const std::uint64_t large = settings{}.most_ahead_bytes + 1;
  REQUIRE(depth_for(1'000'000'000, {}, 1, large) == 1);
  REQUIRE(depth_for(1'000'000'000, {}, 2, large) == 1);
  REQUIRE(depth_for(1'000'000'000, {}, 1, large - 1) == 2);
  REQUIRE(depth_for(5'000'000, {}, 1, large) == 2);
}

TEST_CASE("the user's chunk and exclusive dispatch go before what is measured") {
  REQUIRE(depth_for(500, {.chunk = 10}) == 10);
  REQUIRE(depth_for(1'000'000'000, {.chunk = 10}) == 10);
  REQUIRE(depth_for(500, {.chunk = 1'000'000}) == 1024);
  REQUIRE(depth_for(500, {.chunk = 10, .exclusive_dispatch = true}) == 1);
}

TEST_CASE("a depth near a border stays") {
  REQUIRE(depth_for(120'000, {}, 16) == 16);  // 17 wanted: 32 from anywhere else
  REQUIRE(depth_for(120'000, {}, 64) == 32);
  REQUIRE(depth_for(10'000, {}, 16) == 256);
}

TEST_CASE("a slow first call is soon forgotten") {
  duration_estimate estimate;
  estimate.add(50'000'000);
  REQUIRE(depth_of({}, {}, estimate, 0, 1) == 2);
  for (int i = 0; i < 60; ++i) estimate.add(1000);
  REQUIRE(depth_of({}, {}, estimate, 0, 1) >= 64);
}

TEST_CASE("a softened estimate keeps its value and lets new ones outweigh it") {
  duration_estimate estimate;
  for (int i = 0; i < 100; ++i) estimate.add(1000);
  estimate.soften();
  REQUIRE(estimate.mean_ns() == Approx(1000));
  estimate.add(4000);
  REQUIRE(estimate.mean_ns() == Approx(2000));
}
