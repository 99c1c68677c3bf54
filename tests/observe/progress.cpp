// SPDX-License-Identifier: Apache-2.0
#include <corolith/observe/progress.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace corolith;
using Catch::Matchers::Contains;

namespace {

progress_counts half_way() {
  progress_counts counts;
  counts.done = 50;
  counts.known = 100;
  counts.running = 4;
  counts.agents = 2;
  counts.slots = 4;
  return counts;
}

}  // namespace

TEST_CASE("the bar shows how far it is, how fast, and how long it takes") {
  const std::string bar = progress_meter::bar(half_way(), 10, 100);
  REQUIRE_THAT(bar, Contains("50/100") && Contains("5/s") && Contains("2 agents") && Contains("10 s left"));
  REQUIRE(std::count(bar.begin(), bar.end(), '#') == std::count(bar.begin(), bar.end(), '.'));
}

TEST_CASE("the bar fits its width, whatever that is") {
  for (std::size_t width = 21; width < 200; ++width) REQUIRE(progress_meter::bar(half_way(), 10, width).size() < width);
}

TEST_CASE("an input that is not at its end has no end in sight") {
  progress_counts counts = half_way();
  counts.open_ended = true;
  REQUIRE_THAT(progress_meter::bar(counts, 10, 100), Contains("50/100+") && !Contains("left"));
  REQUIRE_THAT(progress_meter::plain(counts, 10), Contains("50 of 100 or more"));
}

TEST_CASE("failures are counted") {
  progress_counts counts = half_way();
  REQUIRE_THAT(progress_meter::plain(counts, 10), !Contains("failed"));
  counts.failed = 3;
  REQUIRE_THAT(progress_meter::plain(counts, 10), Contains("3 failed"));
  REQUIRE_THAT(progress_meter::bar(counts, 10, 100), Contains("3 failed"));
}

TEST_CASE("what holds everything up is said instead of numbers") {
  progress_counts counts = half_way();
  counts.waiting_for = "waiting for 2 agents";
  REQUIRE_THAT(progress_meter::bar(counts, 100, 80), Contains("waiting for 2 agents"));
  REQUIRE_THAT(progress_meter::plain(counts, 100), Contains("waiting for 2 agents") && Contains("1:40 min"));
}
