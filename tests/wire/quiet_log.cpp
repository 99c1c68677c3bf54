// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/detail/quiet_log.hpp>

#include <catch2/catch.hpp>

using corolith::wire::detail::quiet_log;

TEST_CASE("many events of one kind give one line a minute, with their number") {
  quiet_log log;
  quiet_log::time_point now{};
  CHECK(log.note(now, "first") == "first");
  CHECK_FALSE(log.rest());
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(log.note(now + std::chrono::milliseconds(i), "next"));
  now += quiet_log::interval;
  CHECK(log.note(now, "later") == "later (1000 more since the last such line)");
  CHECK_FALSE(log.note(now, "again"));
  CHECK_FALSE(log.note(now, "and again"));
  CHECK(log.rest() == "2 more since the last such line; the last: and again");
  CHECK_FALSE(log.rest());
  CHECK(log.note(now + quiet_log::interval, "much later") == "much later");
}
