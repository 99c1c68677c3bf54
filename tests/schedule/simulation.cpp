// SPDX-License-Identifier: Apache-2.0
// The scheduler against simulated agents in virtual time. The parts around it (driver, agents, network) follow the
// protocol but are as unkind as they may be: agents come, go and drain, results come late and twice, calls crash, block
// and are cancelled. A model that knows nothing of how the scheduler decides says after every step whether a promise
// was broken.
#include <catch2/catch.hpp>

#include "simulated_world.hpp"

#include <cstdint>

using namespace schedule_test;

namespace {

void simulate(std::uint64_t seed, const world_options& options) {
  INFO("seed " << seed);
  world w(seed, options);
  w.run();
  w.check_end();
}

}  // namespace

TEST_CASE("random worlds keep every promise") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) simulate(seed, {});
}

TEST_CASE("random worlds without prefetch never commit a cpu, gpu or byte twice") {
  for (std::uint64_t seed = 1000; seed <= 1100; ++seed) simulate(seed, {.exclusive = true});
}

TEST_CASE("random worlds of short calls") {
  for (std::uint64_t seed = 2000; seed <= 2050; ++seed) simulate(seed, {.longest_ns = 50'000, .most_calls = 1500});
}

TEST_CASE("a calm world: nothing fails, so nothing is sent twice but what was recalled") {
  for (std::uint64_t seed = 3000; seed <= 3020; ++seed) {
    INFO("seed " << seed);
    world w(seed, {.calm = true});
    w.run();
    w.check_end();
    REQUIRE(w.failed == 0);
    REQUIRE(w.sent == w.delivered + w.returned);
  }
}
