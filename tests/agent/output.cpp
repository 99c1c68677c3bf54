// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

using namespace agent_tests;

namespace {

void greet(const std::string& name) {
  std::cout << "hello " << name << std::endl;
  std::cerr << "to stderr\n";
  std::printf("no newline");
}
void write_garbage() {
  const std::string bytes("\x1b]0;title\x07\xff\xfe\x00\x80 end\n", 19);
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}
void flood(int lines) {
  const std::string line(200, 'y');
  for (int i = 0; i < lines; ++i) std::cout << i << ' ' << line << '\n';
}
void complain_and_throw() {
  for (int i = 0; i < 30; ++i) std::cerr << "complaint " << i << '\n';
  throw std::runtime_error("after complaining");
}
void one_line_without_end(std::size_t size) { std::cout << std::string(size, 'z'); }
void print_and_wait() {
  std::cout << "still running\n";
  std::this_thread::sleep_for(std::chrono::hours(1));
}
int read_stdin() { return std::getchar(); }

}  // namespace

TEST_CASE("lines arrive before the result, with call and stream", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const auto& call = driver.run<&greet>(agent, {}, std::string("world"));
  REQUIRE(call.head.kind == outcome_kind::value);
  REQUIRE(agent.output.size() == 3);
  CHECK(agent.output_text(1) == "hello world\nno newline\n");
  CHECK(agent.output_text(2) == "to stderr\n");
  for (const auto& line : agent.output) {
    CHECK(line.id == call.head.id);
    CHECK(line.pid == call.head.pid);
  }
}

TEST_CASE("output arrives while the call still runs", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  driver.call(agent, driver.open<&print_and_wait>(agent), 0);
  driver.wait([&] { return !agent.output.empty(); });
  CHECK(agent.output_text() == "still running\n");
}

TEST_CASE("garbage is made harmless", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  driver.run<&write_garbage>(agent, {});
  driver.wait([&] { return !agent.output.empty(); });
  CHECK(agent.output_text() == "\\x1b]0;title\\x07\\xff\\xfe\\x00\\x80 end\n");
}

TEST_CASE("a flood arrives whole, even while the driver looks away", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  constexpr int count = 50'000;
  const call_id id = driver.call(agent, driver.open<&flood, int>(agent), 0, count);
  agent.channel->pause_reading();
  driver.pump(std::chrono::milliseconds(300));
  agent.channel->resume_reading();
  CHECK(driver.result(agent, id).head.kind == outcome_kind::value);
  driver.wait([&] { return agent.output.size() >= count; });
  REQUIRE(agent.output.size() == count);
  for (int i = 0; i < count; ++i)
    REQUIRE(agent.output[static_cast<std::size_t>(i)].text.starts_with(std::to_string(i) + ' '));
}

TEST_CASE("an endless line comes in pieces", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  driver.run<&one_line_without_end>(agent, {}, std::size_t{1'000'000});
  std::size_t total = 0;
  const auto add_up = [&] {
    total = 0;
    for (const auto& line : agent.output) total += line.text.size();
    return total >= 1'000'000;
  };
  driver.wait(add_up);
  CHECK(total == 1'000'000);
  for (const auto& line : agent.output) CHECK(line.text.size() <= 8192);
}

TEST_CASE("a failure brings the last lines of standard error", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const wire::failure what = driver.run<&complain_and_throw>(agent, {}).failure();
  CHECK(what.stderr_tail.starts_with("complaint 10\n"));
  CHECK(what.stderr_tail.ends_with("complaint 29"));
  CHECK(what.host == "node");
}

TEST_CASE("a worker's standard input is empty", "[agent]") {
  scripted_driver driver;
  CHECK(driver.run<&read_stdin>(driver.ready_agent(), {}).value<int>() == EOF);
}
