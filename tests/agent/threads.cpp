// SPDX-License-Identifier: Apache-2.0
// Slots that are threads of one worker process.
#include "scripted_driver.hpp"

#include <corolith/agent/worker_context.hpp>

#include <catch2/catch.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace agent_tests;

namespace {

std::atomic<int> met{0};

// Returns when `count` calls are in it at once, in one process.
void meet(int count) {
  const int mine = ++met;
  const int round_end = (mine + count - 1) / count * count;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(50);
  while (met < round_end) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the other calls are not in this process");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::vector<std::uint64_t> who_am_i(int count) {
  meet(count);
  const call_id id = cl::agent::current()->id;
  return {id.batch, id.index, static_cast<std::uint64_t>(::getpid()),
          static_cast<std::uint64_t>(::syscall(SYS_gettid))};
}
int own_pid() { return static_cast<int>(::getpid()); }
int wait_for_stop_of_own(int count) {
  meet(count);
  while (!cl::agent::current()->stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  throw cl::cancelled("stopped as asked");
}
int outlive(int count) {  // the stop of another
  meet(count);
  for (int i = 0; i < 100; ++i) {
    if (cl::agent::current()->stop.stop_requested()) throw std::runtime_error("stopped with another");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return 7;
}

bool exists(const std::string& file) { return ::access(file.c_str(), F_OK) == 0; }
void touch(const std::string& file) { std::ofstream(file).put('x'); }
void wait_for(const std::string& file) {
  while (!exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Lasts until its process is gone; when it runs again it returns at once.
int survive(const std::string& file) {
  if (exists(file)) return 8;
  touch(file);
  for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}
int overflow(int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : overflow(depth + 1) + room[0];
}
void throw_up() { throw std::runtime_error("nobody catches this"); }
void crash(const std::string& after, const std::string& how) {
  wait_for(after);
  if (how == "abort") std::abort();
  if (how == "exit") std::exit(3);
  if (how == "segv") {
    volatile int* nowhere = nullptr;
    *nowhere = 1;
  }
  if (how == "overflow") overflow(0);
  if (how == "throw") []() noexcept { throw_up(); }();
  ::kill(::getpid(), SIGKILL);
}
void never_end(const std::string& after) {
  wait_for(after);
  for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}
std::string gpus_of_process() {
  const char* names = std::getenv("CUDA_VISIBLE_DEVICES");
  return std::to_string(::getpid()) + ":" + (names != nullptr ? names : "none");
}
void say(const std::string& text) { std::fputs((text + "\n").c_str(), stderr); }

constexpr std::int64_t ms = 1'000'000;

struct threaded_driver : scripted_driver {
  threaded_driver() { welcome.threads = true; }
};

bool has_started(const agent_view& agent, const call_id& id) {
  return std::count(agent.started.begin(), agent.started.end(), id) != 0;
}

}  // namespace

TEST_CASE("slots that are threads run calls at once in one process, each with its own context", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=3"});
  const std::uint64_t batch = driver.open<&who_am_i, int>(agent);
  std::vector<call_id> calls;
  for (std::uint32_t i = 0; i < 3; ++i) calls.push_back(driver.call(agent, batch, i, 3));
  std::set<std::uint64_t> pids, threads;
  for (const call_id& id : calls) {
    const auto answer = driver.result(agent, id).value<std::vector<std::uint64_t>>();
    CHECK(answer[0] == id.batch);
    CHECK(answer[1] == id.index);
    pids.insert(answer[2]);
    threads.insert(answer[3]);
    CHECK(static_cast<std::uint64_t>(driver.result(agent, id).head.pid) == answer[2]);
  }
  CHECK(pids.size() == 1);
  CHECK(threads.size() == 3);
}

TEST_CASE("many more calls than slots that are threads", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=4"});
  const std::uint64_t batch = driver.open<&own_pid>(agent);
  std::vector<call_id> calls;
  for (std::uint32_t i = 0; i < 3000; ++i) calls.push_back(driver.call(agent, batch, i));
  std::set<int> pids;
  for (const call_id& id : calls) pids.insert(driver.result(agent, id).value<int>());
  CHECK(pids.size() == 1);
  for (const call_id& id : calls) CHECK(agent.result_counts[id] == 1);
}

TEST_CASE("a stop token is that of one call, not of its process", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  const call_id stopped = driver.call(agent, driver.open<&wait_for_stop_of_own, int>(agent), 0, 2);
  const call_id other = driver.call(agent, driver.open<&outlive, int>(agent), 0, 2);
  driver.wait([&] { return has_started(agent, stopped) && has_started(agent, other); });
  driver.say(agent, message_type::cancel, stopped);
  CHECK(driver.result(agent, stopped).head.kind == outcome_kind::cancelled);
  CHECK(driver.result(agent, other).value<int>() == 7);
  CHECK(driver.result(agent, other).head.pid == driver.result(agent, stopped).head.pid);
}

TEST_CASE("of the calls of a process that crashes, the one is to blame that did it", "[agent]") {
  const std::string how = GENERATE(as<std::string>{}, "abort", "segv", "overflow", "exit", "throw");
  CAPTURE(how);
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=3"});
  const std::string file = driver.folder.path() + "/survivor";
  const std::uint64_t survivors = driver.open<&survive, std::string>(agent);
  const call_id first = driver.call(agent, survivors, 0, file);
  const call_id second = driver.call(agent, survivors, 1, file + "2");
  driver.wait([&] { return exists(file) && exists(file + "2"); });
  const auto& crashed = driver.run<&crash, std::string, std::string>(agent, {}, file, how);
  CHECK(crashed.head.kind == outcome_kind::worker_lost);
  if (how == "exit") CHECK(crashed.failure().exit_status == 3);
  CHECK(driver.result(agent, first).value<int>() == 8);
  CHECK(driver.result(agent, second).value<int>() == 8);
  CHECK(driver.result(agent, first).head.pid != crashed.head.pid);
  CHECK(agent.result_counts[first] == 1);
  CHECK(agent.returned.empty());
}

TEST_CASE("of a process that was killed from outside, all that ran is lost", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  const std::string file = driver.folder.path() + "/survivor";
  const call_id other = driver.call(agent, driver.open<&survive, std::string>(agent), 0, file);
  driver.wait([&] { return exists(file); });
  const auto& killed = driver.run<&crash, std::string, std::string>(agent, {}, file, std::string("kill"));
  CHECK(killed.head.kind == outcome_kind::worker_lost);
  CHECK(killed.failure().signal == SIGKILL);
  CHECK(driver.result(agent, other).head.kind == outcome_kind::worker_lost);
  CHECK(driver.run<&own_pid>(agent, {}).value<int>() != killed.head.pid);
}

TEST_CASE("a call that does not stop ends its process, and the other calls run again", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  const std::string file = driver.folder.path() + "/survivor";
  const call_id other = driver.call(agent, driver.open<&survive, std::string>(agent), 0, file);
  const bool by_timeout = GENERATE(true, false);
  wire::call_limits limits;
  if (by_timeout) limits.timeout_ns = 20 * ms;
  const call_id stuck = driver.call(agent, driver.open<&never_end, std::string>(agent, limits), 0, file);
  if (!by_timeout) {
    driver.wait([&] { return has_started(agent, stuck) && exists(file); });
    driver.say(agent, message_type::cancel, stuck);
  }
  CHECK(driver.result(agent, stuck).head.kind == (by_timeout ? outcome_kind::timeout : outcome_kind::cancelled));
  CHECK(driver.result(agent, other).value<int>() == 8);
  CHECK(agent.result_counts[other] == 1);
}

TEST_CASE("calls with GPUs or a memory limit have processes of their own, among threads too", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2", "gpus=2"});
  const std::string plain = driver.run<&gpus_of_process>(agent, {}).value<std::string>();
  wire::call_limits one_gpu;
  one_gpu.gpus = 1;
  wire::call_limits little;
  little.memory = 1U << 30U;
  const std::string with_gpu = driver.run<&gpus_of_process>(agent, one_gpu).value<std::string>();
  const std::string with_limit = driver.run<&gpus_of_process>(agent, little).value<std::string>();
  const auto pid = [](const std::string& text) { return text.substr(0, text.find(':')); };
  CHECK(plain.ends_with(":"));  // none is visible
  CHECK(with_gpu.ends_with(":0"));
  CHECK(pid(with_gpu) != pid(plain));
  CHECK(pid(with_limit) != pid(plain));
}

TEST_CASE("what threads write is a call's when only one runs", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  const auto& done = driver.run<&say, std::string>(agent, {}, std::string("alone"));
  CHECK(done.head.kind == outcome_kind::value);
  driver.wait([&] { return !agent.output.empty(); });
  CHECK(agent.output.front().text == "alone");
  CHECK(agent.output.front().id == done.head.id);
}

TEST_CASE("a program that does not come up is no matter of threads", "[agent]") {
  threaded_driver driver;
  driver.welcome.modules = {scripted_driver::module_of("/bin/false", true)};
  agent_view& agent = driver.ready_agent({"slots=2"});
  driver.wait([&] { return !agent.failed.empty(); });
  CHECK(agent.failed.find("/bin/false") != std::string::npos);
}

TEST_CASE("the end of the driver ends a process with threads", "[agent]") {
  threaded_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  const std::string file = driver.folder.path() + "/survivor";
  driver.call(agent, driver.open<&survive, std::string>(agent), 0, file);
  driver.wait([&] { return exists(file); });
  const std::int32_t worker = driver.run<&own_pid>(agent, {}).head.pid;
  SECTION("when it says so") { agent.channel->send(message_type::shutdown); }
  SECTION("when it is gone") { agent.channel->close(); }
  driver.wait([&] { return !process_exists(worker) && agent.closed; });
}
