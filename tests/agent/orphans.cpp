// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <corolith/agent/worker_context.hpp>

#include <catch2/catch.hpp>

#include <sys/prctl.h>

#include <thread>
#include <vector>

using namespace agent_tests;

namespace {

int seven() { return 7; }
// A child of the worker's own, which would live for an hour.
int fork_child() {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::sleep(3600);
  }
  return child;
}
int fork_child_and_hang(const std::string& file) {
  std::ofstream(file) << fork_child() << ' ' << ::getpid() << std::endl;
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void until_stopped() {
  while (!cl::agent::current()->stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void wait_gone(const std::vector<pid_t>& pids) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (const pid_t pid : pids)
    while (process_exists(pid)) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error("process " + std::to_string(pid) + " is still there");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

// The worker and its child, once a call of fork_child_and_hang runs.
std::vector<pid_t> hang(scripted_driver& driver, agent_view& agent) {
  const std::string file = driver.folder.path() + "/pids";
  driver.call(agent, driver.open<&fork_child_and_hang, std::string>(agent), 0, file);
  pid_t child = 0, worker = 0;
  driver.wait([&] {
    std::ifstream in(file);
    return static_cast<bool>(in >> child >> worker);
  });
  return {child, worker};
}

}  // namespace

TEST_CASE("a SIGKILLed agent leaves no worker and no child of a worker", "[agent]") {
  scripted_driver driver;
  const pid_t pid = driver.start_agent({"slots=2"});
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->ready; });
  agent_view& agent = *driver.agents[0];
  const auto& idle = driver.run<&fork_child>(agent, {});  // of a worker that is idle afterwards
  std::vector<pid_t> all = hang(driver, agent);
  all.push_back(idle.value<int>());
  all.push_back(idle.head.pid);
  for (const pid_t each : all) REQUIRE(process_exists(each));
  ::kill(pid, SIGKILL);
  CHECK(driver.wait_exit(pid) == -SIGKILL);
  wait_gone(all);
}

TEST_CASE("when the driver is gone, so are the agent and all below it", "[agent]") {
  scripted_driver driver;
  const pid_t pid = driver.start_agent({"slots=1", "rejoin=0"});
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->ready; });
  const std::vector<pid_t> all = hang(driver, *driver.agents[0]);
  driver.agents[0]->channel->close();
  CHECK(driver.wait_exit(pid) == 1);
  wait_gone(all);
}

TEST_CASE("SIGTERM ends an agent and all below it", "[agent]") {
  scripted_driver driver;
  const pid_t pid = driver.start_agent({"slots=1"});
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->ready; });
  const std::vector<pid_t> all = hang(driver, *driver.agents[0]);
  ::kill(pid, SIGTERM);
  CHECK(driver.wait_exit(pid) == 128 + SIGTERM);
  wait_gone(all);
}

TEST_CASE("shutdown ends workers in order, and those that hang by force", "[agent]") {
  scripted_driver driver;
  const pid_t pid = driver.start_agent({"slots=2"});
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->ready; });
  agent_view& agent = *driver.agents[0];
  CHECK(driver.run<&seven>(agent, {}).value<int>() == 7);
  const std::vector<pid_t> all = hang(driver, agent);
  agent.channel->send(message_type::shutdown);
  driver.wait([&] { return agent.closed; });
  CHECK(driver.wait_exit(pid) == 0);
  wait_gone(all);
}

TEST_CASE("shutdown asks a running call to stop", "[agent]") {
  scripted_driver driver;
  driver.welcome.grace_ms = 600'000;  // nothing is killed in this test
  const pid_t pid = driver.start_agent({"slots=1"});
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->ready; });
  agent_view& agent = *driver.agents[0];
  wire::call_limits chunked;
  chunked.chunk = 2;
  const std::uint64_t batch = driver.open<&until_stopped>(agent, chunked);
  for (std::uint32_t i = 0; i < 3; ++i) driver.call(agent, batch, i);
  driver.wait([&] { return !agent.started.empty(); });
  agent.channel->send(message_type::shutdown);
  driver.wait([&] { return agent.closed; });
  CHECK(driver.wait_exit(pid) == 0);
  CHECK(agent.results.size() == 3);
}

TEST_CASE("children of a worker die with it, and its timeout frees the slot", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  wire::call_limits limits;
  limits.timeout_ns = 100'000'000;
  const std::string file = driver.folder.path() + "/pids";
  CHECK(driver.run<&fork_child_and_hang>(agent, limits, file).head.kind == outcome_kind::timeout);
  pid_t child = 0, worker = 0;
  std::ifstream(file) >> child >> worker;
  REQUIRE(child > 0);
  wait_gone({child, worker});
  CHECK(driver.run<&seven>(agent, {}).value<int>() == 7);
}

TEST_CASE("a SIGKILLed driver leaves no agent", "[agent]") {
  // The agent connects to this process, but its parent is another: that one plays the driver that dies.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  scripted_driver driver;
  const pid_t parent = ::fork();
  if (parent == 0) {
    spawn(driver.agent_words({"slots=1", "parent_pid=" + std::to_string(::getpid())}),
          driver.folder.path() + "/agent.log");
    for (;;) ::pause();
  }
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->ready; });
  agent_view& agent = *driver.agents[0];
  std::vector<pid_t> all = hang(driver, agent);
  all.push_back(agent.hello.pid);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  driver.wait([&] { return agent.closed; });
  wait_gone(all);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}
