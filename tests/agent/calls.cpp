// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <corolith/agent/worker_context.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <thread>

using namespace agent_tests;

namespace {

int add(int a, int b) { return a + b; }
std::string describe_call() {
  const cl::agent::current_call* call = cl::agent::current();
  return call->host + " " + std::to_string(call->id.batch) + "/" + std::to_string(call->id.index) + " " +
         (cl::agent::in_worker() ? "worker" : "no worker");
}
void throw_range() { throw std::out_of_range("index 7 of 3"); }
void throw_nested() {
  try {
    throw std::runtime_error("inner");
  } catch (...) {
    std::throw_with_nested(std::logic_error("outer"));
  }
}
void throw_int() { throw 42; }
void abort_now() {
  std::cerr << "about to abort\n";
  std::abort();
}
void exit_with(int status) { std::exit(status); }
void say_and_sleep_ms(int ms) {
  std::cout << "begun" << std::endl;
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}
void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
std::uint64_t sum_bytes(const std::vector<std::uint8_t>& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
}
std::vector<std::uint8_t> make_bytes(std::size_t size) { return std::vector<std::uint8_t>(size, 3); }
std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "(none)";
}

}  // namespace

TEST_CASE("an agent says hello and runs calls", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2", "launch_tag=tag7", "memory=1000000000"});
  CHECK(agent.hello.host == "node");
  CHECK(agent.hello.cpus == 2);
  CHECK(agent.hello.memory == 1000000000);
  CHECK(agent.hello.launch_tag == "tag7");
  CHECK(driver.run<&add>(agent, {}, 2, 3).value<int>() == 5);
  const ended_call& call = driver.run<&describe_call>(agent, {});
  CHECK(call.value<std::string>() == "node 2/0 worker");
  CHECK(call.head.pid != agent.hello.pid);
  CHECK(call.head.ended_ns >= call.head.started_ns);
}

TEST_CASE("many calls come back once each", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  const std::uint64_t batch = driver.open<&add, int, int>(agent);
  constexpr std::uint32_t count = 5000;
  for (std::uint32_t i = 0; i < count; ++i) driver.call(agent, batch, i, static_cast<int>(i), 1);
  driver.wait([&] { return agent.results.size() == count; });
  for (const auto& [id, call] : agent.results) {
    REQUIRE(call.value<int>() == static_cast<int>(id.index) + 1);
    REQUIRE(agent.result_counts[id] == 1);
  }
}

TEST_CASE("an exception becomes an outcome with its type and text", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const auto& range = driver.run<&throw_range>(agent, {});
  CHECK(range.head.kind == outcome_kind::exception);
  CHECK(range.failure().type_name == "std::out_of_range");
  CHECK(range.failure().what == "index 7 of 3");
  CHECK(range.failure().host == "node");
  CHECK(driver.run<&throw_nested>(agent, {}).failure().what == "outer: inner");
  CHECK(driver.run<&throw_int>(agent, {}).failure().type_name == "int");
  CHECK(driver.run<&add>(agent, {}, 1, 1).value<int>() == 2);
}

TEST_CASE("a function that ends the process is worker_lost, and another worker takes over", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const auto& aborted = driver.run<&abort_now>(agent, {});
  CHECK(aborted.head.kind == outcome_kind::worker_lost);
  CHECK(aborted.failure().signal == SIGABRT);
  CHECK_THAT(aborted.failure().stderr_tail, Catch::Contains("about to abort"));
  const auto& left = driver.run<&exit_with>(agent, {}, 3);
  CHECK(left.head.kind == outcome_kind::worker_lost);
  CHECK(left.failure().signal == 0);
  CHECK(left.failure().exit_status == 3);
  CHECK(driver.run<&add>(agent, {}, 1, 1).value<int>() == 2);
}

TEST_CASE("a worker killed from outside loses only the call that it ran", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const std::int32_t worker = driver.run<&add>(agent, {}, 1, 1).head.pid;
  wire::call_limits chunked;
  chunked.chunk = 4;
  const std::uint64_t batch = driver.open<&say_and_sleep_ms, int>(agent, chunked);
  const call_id running = driver.call(agent, batch, 0, 60000);
  for (std::uint32_t i = 1; i < 4; ++i) driver.call(agent, batch, i, 1);
  // `started` would not do: it tells how long ago the call was handed over, and a call that the worker had not begun runs again.
  driver.wait([&] { return !agent.output.empty(); });
  ::kill(worker, SIGKILL);
  const auto& lost = driver.result(agent, running);
  CHECK(lost.head.kind == outcome_kind::worker_lost);
  CHECK(lost.failure().signal == SIGKILL);
  for (std::uint32_t i = 1; i < 4; ++i) CHECK(driver.result(agent, {batch, i, 1}).head.kind == outcome_kind::value);
}

TEST_CASE("a function that the program does not have is refused by name", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const auto& unknown = driver.result(agent, driver.call(agent, driver.open_key(agent, {1, 2}), 0));
  CHECK(unknown.head.kind == outcome_kind::unknown_function);
  CHECK_THAT(unknown.failure().what, Catch::Contains("different versions"));
}

TEST_CASE("arguments that cannot be decoded are a codec outcome", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const std::uint64_t batch = driver.open<&add, int, int>(agent);
  CHECK(driver.result(agent, driver.call(agent, batch, 0, std::uint8_t{1})).head.kind == outcome_kind::codec);
  CHECK(driver.result(agent, driver.call(agent, 999, 0, 1)).head.kind == outcome_kind::codec);
}

TEST_CASE("large arguments and results pass through", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const std::vector<std::uint8_t> bytes(20'000'000, 1);
  CHECK(driver.run<&sum_bytes>(agent, {}, bytes).value<std::uint64_t>() == bytes.size());
  CHECK(driver.run<&make_bytes>(agent, {}, std::size_t{20'000'000}).value<std::vector<std::uint8_t>>().size() ==
        20'000'000);
}

TEST_CASE("a worker's environment is the driver's, the batch's and the slot's", "[agent]") {
  scripted_driver driver;
  driver.welcome.environment = {"FROM_DRIVER=1", "BOTH=driver"};
  agent_view& agent = driver.ready_agent({"slots=2", "gpus=2"});
  wire::call_limits limits;
  limits.environment = {"BOTH=batch"};
  limits.cpus = 2;
  limits.gpus = 1;
  const auto get = [&](const std::string& name) {
    return driver.run<&environment>(agent, limits, name).value<std::string>();
  };
  CHECK(get("FROM_DRIVER") == "1");
  CHECK(get("BOTH") == "batch");
  CHECK(get("OMP_NUM_THREADS") == "2");
  CHECK(get("CUDA_VISIBLE_DEVICES") == "0");
  CHECK(driver.run<&environment>(agent, {}, std::string("BOTH")).value<std::string>() == "driver");
  CHECK(driver.run<&environment>(agent, {}, std::string("CUDA_VISIBLE_DEVICES")).value<std::string>() == "");
}

TEST_CASE("a long call does not hold back the results before it", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  wire::call_limits chunked;
  chunked.chunk = 16;
  const std::uint64_t batch = driver.open<&sleep_ms, int>(agent, chunked);
  for (std::uint32_t i = 0; i < 8; ++i) driver.call(agent, batch, i, 0);
  const call_id endless = driver.call(agent, batch, 8, 600'000);
  for (std::uint32_t i = 0; i < 8; ++i) CHECK(driver.result(agent, {batch, i, 1}).head.kind == outcome_kind::value);
  CHECK_FALSE(agent.results.contains(endless));
  driver.say(agent, message_type::cancel, endless);
  CHECK(driver.result(agent, endless).head.kind == outcome_kind::cancelled);
}
