// SPDX-License-Identifier: Apache-2.0
#include "captured_stderr.hpp"

#include <corolith/observe/progress.hpp>

#include <catch2/catch.hpp>

#include <chrono>
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

TEST_CASE("the last line of a run counts the calls that ended in it, not those that were cancelled or given up") {
  using std::chrono::seconds;
  captured_stderr captured;
  {
    console out;
    progress_meter meter(out, progress_mode::automatic);
    const auto begin = progress_meter::clock::now();
    progress_counts counts = half_way();
    meter.update(counts, begin);
    counts.done = counts.known = 0;  // the batch is over
    counts.all_ended = 90;
    counts.all_failed = 2;
    meter.update(counts, begin + seconds(6));
    counts.known = 100;
    meter.update(counts, begin + seconds(10));
    counts.all_ended = 97;
    meter.finish(counts, begin + seconds(20));  // with 93 calls under way
    meter.update(counts, begin + seconds(30));
    meter.finish(counts, begin + seconds(40));  // nothing came of these
  }
  REQUIRE(captured.text() == "corolith: 90 calls done, 2 failed in 6 s\ncorolith: 7 calls done in 10 s\n");
}
