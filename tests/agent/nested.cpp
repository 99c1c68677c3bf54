// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <corolith/agent/worker_context.hpp>

#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

using namespace agent_tests;

namespace {

int one_more(int x) { return x + 1; }
int work_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  return ms;
}

// Sends `text` up, waits with its slot free until an answer comes down, and returns that.
std::string ask_the_driver(const std::string& text) {
  std::mutex mutex;
  std::condition_variable changed;
  std::string answer;
  cl::agent::uplink& up = *cl::agent::worker_uplink();
  up.set_handler([&](message_type inner, const cl::shared_bytes& body) {
    const std::lock_guard lock(mutex);
    answer = std::to_string(static_cast<int>(inner)) + ":" +
             std::string(reinterpret_cast<const char*>(body.data()), body.size());
    changed.notify_one();
  });
  const call_id id = cl::agent::current()->id;
  up.send_up(message_type::call, std::as_bytes(std::span(text)));
  up.blocked(id);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !answer.empty(); });
  }
  up.unblocked(id);
  up.set_handler({});
  return answer;
}
void ask_and_die() {
  cl::agent::worker_uplink()->send_up(message_type::batch_open, {});
  std::abort();
}

// What an agent relayed: worker number, inner type, body.
struct relayed {
  explicit relayed(const cl::shared_bytes& body)
      : worker(wire::read_head<std::uint64_t>(body)),
        inner(static_cast<message_type>(body.data()[8])),
        text(reinterpret_cast<const char*>(body.data()) + 9, body.size() - 9) {}
  std::uint64_t worker;
  message_type inner;
  std::string text;
};

void answer(agent_view& agent, std::uint64_t worker, message_type inner, const std::string& text) {
  cl::byte_buffer body;
  body.append_value(worker);
  body.append_value(inner);
  body.append(std::as_bytes(std::span(text)));
  agent.channel->send(message_type::nested_down, body.release());
}

}  // namespace

TEST_CASE("a call talks to the driver through its agent, and its slot is free meanwhile", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  const std::uint64_t batch = driver.open<&ask_the_driver, std::string>(agent);
  const call_id id = driver.call(agent, batch, 0, std::string("what?"));
  driver.wait([&] { return !agent.nested.empty() && !agent.blocked.empty(); });
  const relayed up(agent.nested.front().second);
  CHECK(up.inner == message_type::call);
  CHECK(up.text == "what?");
  CHECK(agent.blocked.front() == id);
  // One slot, and yet another call runs now.
  const auto& other = driver.run<&one_more>(agent, {}, 1);
  CHECK(other.value<int>() == 2);
  CHECK_FALSE(agent.results.contains(id));
  answer(agent, up.worker, message_type::result, "that!");
  CHECK(driver.result(agent, id).value<std::string>() ==
        std::to_string(static_cast<int>(message_type::result)) + ":that!");
  CHECK(agent.results.at(id).head.pid != other.head.pid);
  CHECK(agent.unblocked.size() == 1);
  // One of the two workers is too many now; the other goes on.
  driver.wait([&] { return !process_exists(agent.results.at(id).head.pid) || !process_exists(other.head.pid); });
  CHECK(driver.run<&one_more>(agent, {}, 2).value<int>() == 3);
}

TEST_CASE("calls behind a blocked one move to another worker", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  wire::call_limits chunked;
  chunked.chunk = 3;
  const std::uint64_t batch = driver.open<&ask_the_driver, std::string>(agent, chunked);
  for (std::uint32_t i = 0; i < 3; ++i) driver.call(agent, batch, i, "call " + std::to_string(i));
  driver.wait([&] { return agent.nested.size() == 3; });  // each in a worker of its own
  for (const auto& [type, body] : agent.nested) answer(agent, relayed(body).worker, message_type::result, "yes");
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(driver.result(agent, {batch, i, 1}).head.kind == outcome_kind::value);
}

TEST_CASE("the driver hears when a worker with nested calls is gone", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  CHECK(driver.run<&ask_and_die>(agent, {}).head.kind == outcome_kind::worker_lost);
  driver.wait([&] { return !agent.nested_gone.empty(); });
  CHECK(agent.nested_gone.front() == relayed(agent.nested.front().second).worker);
  answer(agent, agent.nested_gone.front(), message_type::result, "to nobody");
  CHECK(driver.run<&one_more>(agent, {}, 1).value<int>() == 2);
}

TEST_CASE("short calls stuck behind a long one are stolen back", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent({"slots=2"});
  wire::call_limits chunked;
  chunked.chunk = 8;
  const std::uint64_t batch = driver.open<&work_ms, int>(agent, chunked);
  // Whatever worker gets the long one gets some of the others behind it.
  for (std::uint32_t i = 0; i < 16; ++i) driver.call(agent, batch, i, i == 0 ? 600'000 : 1);
  for (std::uint32_t i = 1; i < 16; ++i) CHECK(driver.result(agent, {batch, i, 1}).head.kind == outcome_kind::value);
  CHECK_FALSE(agent.results.contains({batch, 0, 1}));
  CHECK(agent.returned.empty());
}
