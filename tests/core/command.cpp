// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/command.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using Catch::Matchers::Contains;
using corolith::process::command;

TEST_CASE("a command runs beside its caller") {
  command echo({"sh", "-c", "cat; echo trouble >&2; exit 3"}, "given", std::chrono::seconds(60));
  echo.wait();
  REQUIRE_FALSE(echo.succeeded());
  REQUIRE(echo.output() == "given");
  REQUIRE(echo.complaint() == "sh: exit status 3: trouble");
  command missing({"corolith-there-is-no-such-command"}, "", std::chrono::seconds(60));
  REQUIRE(missing.done());
  REQUIRE_THAT(missing.complaint(), Contains("no such command"));
  command slow({"sleep", "1000"}, "", std::chrono::seconds(0));
  slow.wait();
  REQUIRE_THAT(slow.complaint(), Contains("in time"));
  command dropped({"sleep", "1000"}, "", std::chrono::seconds(60));  // ended with its scope
}
