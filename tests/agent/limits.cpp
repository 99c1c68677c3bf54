// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <corolith/agent/detail/memory_watch.hpp>
#include <corolith/agent/worker_context.hpp>

#include <catch2/catch.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

using namespace agent_tests;

namespace {

int seven() { return 7; }
void never_end() {
  for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}
int wait_for_stop() {
  while (!cl::agent::current()->stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  throw cl::cancelled("stopped as asked");
}
int value_after_stop() {
  while (!cl::agent::current()->stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return 5;
}
std::size_t allocate(std::size_t bytes) {
  std::vector<char> memory(bytes, 'x');
  return static_cast<std::size_t>(std::count(memory.begin(), memory.end(), 'x'));
}
// Memory that no limit on private memory sees.
void hold_shared(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  std::memset(memory, 1, bytes);
  never_end();
}
bool stop_is_requested() { return cl::agent::current()->stop.stop_requested(); }

constexpr std::int64_t ms = 1'000'000;

wire::call_limits timeout(std::int64_t ns) {
  wire::call_limits limits;
  limits.timeout_ns = ns;
  return limits;
}
wire::call_limits memory(std::uint64_t bytes) {
  wire::call_limits limits;
  limits.memory = bytes;
  return limits;
}

bool has_started(const agent_view& agent, const call_id& id) {
  return std::count(agent.started.begin(), agent.started.end(), id) != 0;
}

}  // namespace

TEST_CASE("a function that never ends is killed after its timeout", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const std::int32_t worker = driver.run<&seven>(agent, {}).head.pid;
  const auto& late = driver.run<&never_end>(agent, timeout(50 * ms));
  CHECK(late.head.kind == outcome_kind::timeout);
  CHECK(late.failure().host == "node");
  driver.wait([&] { return !process_exists(worker); });
  CHECK(driver.run<&seven>(agent, timeout(60'000 * ms)).value<int>() == 7);
}

TEST_CASE("a function that heeds its stop token keeps its worker", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const std::int32_t worker = driver.run<&seven>(agent, {}).head.pid;
  CHECK(driver.run<&wait_for_stop>(agent, timeout(30 * ms)).head.kind == outcome_kind::timeout);
  CHECK(driver.run<&value_after_stop>(agent, timeout(30 * ms)).head.kind == outcome_kind::timeout);
  const auto& next = driver.run<&stop_is_requested>(agent, {});
  CHECK(next.head.pid == worker);
  CHECK_FALSE(next.value<bool>());  // the stop was another call's
}

TEST_CASE("cancel stops a running call, politely or not", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const call_id polite = driver.call(agent, driver.open<&wait_for_stop>(agent), 0);
  driver.wait([&] { return has_started(agent, polite); });
  driver.say(agent, message_type::cancel, polite);
  CHECK(driver.result(agent, polite).head.kind == outcome_kind::cancelled);

  const call_id deaf = driver.call(agent, driver.open<&never_end>(agent), 0);
  driver.wait([&] { return has_started(agent, deaf); });
  driver.say(agent, message_type::cancel, deaf);
  CHECK(driver.result(agent, deaf).head.kind == outcome_kind::cancelled);
  CHECK(driver.run<&seven>(agent, {}).value<int>() == 7);
}

TEST_CASE("calls that wait can be cancelled or given back", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  wire::call_limits chunked;
  chunked.chunk = 2;
  const std::uint64_t batch = driver.open<&wait_for_stop>(agent, chunked);
  std::vector<call_id> ids;
  for (std::uint32_t i = 0; i < 4; ++i) ids.push_back(driver.call(agent, batch, i));
  driver.wait([&] { return has_started(agent, ids[0]); });
  driver.say(agent, message_type::recall, ids[3]);  // in the agent
  driver.say(agent, message_type::recall, ids[1]);  // in the worker
  driver.wait([&] { return agent.returned.size() == 2; });
  driver.say(agent, message_type::cancel, ids[2]);
  CHECK(driver.result(agent, ids[2]).head.kind == outcome_kind::cancelled);
  driver.say(agent, message_type::recall, ids[0]);  // too late: it runs
  driver.say(agent, message_type::cancel, ids[0]);
  CHECK(driver.result(agent, ids[0]).head.kind == outcome_kind::cancelled);
  CHECK(agent.returned.size() == 2);
  CHECK(agent.results.size() == 2);
}

TEST_CASE("an allocation past the limit fails in the function", "[agent]") {
  if (!cl::agent::detail::limits_address_space) return;
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const auto& ok = driver.run<&allocate>(agent, memory(64'000'000), std::size_t{20'000'000});
  CHECK(ok.value<std::size_t>() == 20'000'000);
  const auto& over = driver.run<&allocate>(agent, memory(64'000'000), std::size_t{120'000'000});
  CHECK(over.head.kind == outcome_kind::memory);
  CHECK(over.failure().type_name == "std::bad_alloc");
  CHECK(over.head.pid == ok.head.pid);
  CHECK(driver.run<&allocate>(agent, {}, std::size_t{120'000'000}).value<std::size_t>() == 120'000'000);
}

TEST_CASE("a worker that holds more memory than its limit is killed", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const auto& over = driver.run<&hold_shared>(agent, memory(20'000'000), std::size_t{60'000'000});
  CHECK(over.head.kind == outcome_kind::memory);
  CHECK(driver.run<&seven>(agent, {}).value<int>() == 7);
}
