// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/detail/turn_clock.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <thread>

using corolith::detail::turn_clock;

namespace {

std::int64_t system_now_ns() {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void let_time_pass() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

}  // namespace

TEST_CASE("events of one turn share a reading of the clock") {
  turn_clock clock;
  const turn_clock::times first = clock.now();
  let_time_pass();
  CHECK(clock.now().steady_ns == first.steady_ns);
  CHECK(clock.now_after(first.system_ns).system_ns == first.system_ns);
}

TEST_CASE("time goes on in a long turn and in the next one") {
  turn_clock clock;
  const turn_clock::times first = clock.now();
  let_time_pass();
  int events = 1;
  while (events < 1000 && clock.now().steady_ns == first.steady_ns) ++events;
  CHECK(events == 16);

  const turn_clock::times before = clock.now();
  let_time_pass();
  clock.end_turn();
  CHECK(clock.now().steady_ns > before.steady_ns);
}

TEST_CASE("nothing that was received is earlier than its end") {
  turn_clock clock;
  clock.now();
  let_time_pass();
  const std::int64_t ended_ns = system_now_ns();
  CHECK(clock.now_after(ended_ns).system_ns >= ended_ns);
}
