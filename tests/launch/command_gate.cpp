// SPDX-License-Identifier: Apache-2.0
#include <corolith/launch/command_gate.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace std::chrono_literals;
using corolith::launch::command_gate;

TEST_CASE("one command an interval, in the order in which they were asked for, the pressing ones first") {
  command_gate gate(5s);
  const int a = 0, b = 0, c = 0, d = 0;
  command_gate::clock::time_point now{1h};
  CHECK(gate.may(&a, false, now));
  CHECK_FALSE(gate.may(&a, false, now));
  CHECK_FALSE(gate.may(&b, false, now));
  CHECK_FALSE(gate.may(&c, true, now));
  CHECK_FALSE(gate.may(&d, true, now + 4s));
  now += 5s;
  CHECK_FALSE(gate.may(&a, false, now));
  CHECK_FALSE(gate.may(&d, true, now));
  CHECK(gate.may(&c, true, now));
  now += 5s;
  CHECK(gate.may(&d, true, now));
  now += 5s;
  CHECK_FALSE(gate.may(&b, false, now));
  gate.leave(&a);  // it need not wait for who does not come back
  CHECK(gate.may(&b, false, now));
  CHECK_FALSE(gate.may(&b, false, now + 4s));
  CHECK(gate.may(&b, false, now + 5s));
}
