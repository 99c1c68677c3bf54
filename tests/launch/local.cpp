// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/launch/local.hpp>

#include <catch2/catch.hpp>

#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

using namespace corolith;
using Catch::Matchers::Contains;

namespace {

struct session_folder {
  session_folder() { REQUIRE(::mkdtemp(path) != nullptr); }
  ~session_folder() { std::filesystem::remove_all(path); }
  char path[32] = "/tmp/corolith-launch-XXXXXX";
};

launch::request request_in(const session_folder& folder) {
  launch::request what;
  what.session_folder = folder.path;
  what.connect = {"unix:" + what.session_folder + "/nobody-listens"};
  return what;
}

std::vector<launch::unit_exit> wait_for_exits(launch::local& agents, std::size_t count) {
  std::vector<launch::unit_exit> exits;
  for (int waited = 0; exits.size() < count && waited < 6000; ++waited) {
    for (launch::unit_exit& each : agents.ended()) exits.push_back(std::move(each));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return exits;
}

}  // namespace

TEST_CASE("agents that find no driver end, and say why in their log") {
  const session_folder folder;
  launch::request what = request_in(folder);
  what.agents = 2;
  launch::local agents;
  agents.start(what);
  const auto exits = wait_for_exits(agents, 2);
  REQUIRE(exits.size() == 2);
  REQUIRE(exits[0].unit != exits[1].unit);
  for (const launch::unit_exit& each : exits) {
    REQUIRE_THAT(each.reason, Contains("exit status 1"));
    REQUIRE_THAT(each.log_tail, Contains("nobody-listens"));
  }
  REQUIRE(agents.all_gone());
}

TEST_CASE("an agent can be started again") {
  const session_folder folder;
  launch::local agents;
  agents.start(request_in(folder));
  REQUIRE(wait_for_exits(agents, 1).size() == 1);
  agents.restart(0);
  REQUIRE_FALSE(agents.all_gone());
  REQUIRE(wait_for_exits(agents, 1).size() == 1);
}

TEST_CASE("an agent that cannot be started is a launch_failed") {
  const session_folder folder;
  launch::request what = request_in(folder);
  what.session_folder += "/missing";  // where its log would go
  launch::local agents;
  REQUIRE_THROWS_AS(agents.start(what), launch_failed);
  REQUIRE(agents.all_gone());
}
