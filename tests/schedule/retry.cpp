// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <corolith/schedule/retry.hpp>

using namespace corolith::schedule;

TEST_CASE("outcomes that a repetition would not change are delivered at once") {
  for (auto kind : {outcome_kind::value, outcome_kind::unknown_function, outcome_kind::codec})
    REQUIRE(judge(kind, {}, 5, 3) == consequence::deliver);
}

TEST_CASE("what the function does costs a retry until there is none") {
  for (auto kind : {outcome_kind::exception, outcome_kind::timeout, outcome_kind::memory}) {
    REQUIRE(judge(kind, {}, 0, 3) == consequence::deliver);
    REQUIRE(judge(kind, {.failures = 1}, 2, 3) == consequence::retry_at_cost);
    REQUIRE(judge(kind, {.failures = 2}, 2, 3) == consequence::deliver);
    REQUIRE(judge(kind, {.cancelled = true}, 2, 3) == consequence::deliver);
  }
}

TEST_CASE("a lost worker is free until the call is poison") {
  REQUIRE(judge(outcome_kind::worker_lost, {}, 0, 3) == consequence::retry_free);
  REQUIRE(judge(outcome_kind::worker_lost, {.losses = 1}, 0, 3) == consequence::retry_free);
  REQUIRE(judge(outcome_kind::worker_lost, {.losses = 2}, 0, 3) == consequence::fail_poison);
  REQUIRE(judge(outcome_kind::worker_lost, {.cancelled = true}, 0, 3) == consequence::fail_cancelled);
  REQUIRE(judge(outcome_kind::worker_lost, {}, 0, 1) == consequence::fail_poison);
}

TEST_CASE("cancelled stays cancelled") {
  REQUIRE(judge(outcome_kind::cancelled, {}, 9, 3) == consequence::fail_cancelled);
}
