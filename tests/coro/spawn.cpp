// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<void> note(std::vector<int>* order, int v) {
  order->push_back(v);
  co_return;
}

cl::task<int> value(int v) { co_return v; }
cl::task<int> fails() {
  throw std::runtime_error("started and failed");
  co_return 0;
}
cl::task<void> fails_alone() { co_await fails(); }
cl::task<int> waits(cl::promise<int> holds, std::shared_ptr<int> alive) {
  cl::future<int> never = holds.get_future();
  int got = co_await never;
  co_return got + *alive;
}

}  // namespace

TEST_CASE("spawn starts on the loop, not at the call") {
  cl::run_loop loop;
  std::vector<int> order;
  cl::spawn(loop, note(&order, 1));
  REQUIRE(order.empty());
  loop.poll();
  REQUIRE(order == std::vector<int>{1});
}

TEST_CASE("what escapes a spawned task does not end the process") {
  cl::run_loop loop;
  std::vector<int> order;
  cl::log::level before = cl::log::get_level();
  cl::log::set_level(cl::log::level::off);
  cl::spawn(loop, fails_alone());
  cl::spawn(loop, note(&order, 2));
  loop.poll();
  cl::log::set_level(before);
  REQUIRE(order == std::vector<int>{2});
}

TEST_CASE("start gives a future of the task") {
  REQUIRE(cl::start(cl::background_loop(), value(4)).get() == 4);
  REQUIRE_THROWS_WITH(cl::start(cl::background_loop(), fails()).get(), "started and failed");
  REQUIRE(cl::sync_wait(cl::start(cl::background_loop(), value(5))) == 5);
}

TEST_CASE("the future of a started task is running, then done") {
  cl::run_loop loop;
  cl::promise<int> p;
  cl::promise<int> inner;
  auto f = cl::start(loop, waits(std::move(p), std::make_shared<int>(1)));
  REQUIRE(f.state() == cl::call_state::pending);
  loop.poll();
  REQUIRE(f.state() == cl::call_state::running);
  f.cancel();
  loop.poll();
  REQUIRE(f.state() == cl::call_state::cancelled);
  REQUIRE_THROWS_AS(f.get(), cl::cancelled);
}

TEST_CASE("a started task that is cancelled before its turn does not run") {
  cl::run_loop loop;
  std::vector<int> order;
  auto f = cl::start(loop, note(&order, 1));
  f.cancel();
  loop.poll();
  REQUIRE(f.state() == cl::call_state::cancelled);
  REQUIRE(order.empty());
}

TEST_CASE("the stop token given to start reaches the task") {
  std::stop_source source;
  auto f = cl::start(cl::background_loop(), waits(cl::promise<int>(), std::make_shared<int>(1)), source.get_token());
  source.request_stop();
  REQUIRE_THROWS_AS(f.get(), cl::cancelled);
}

TEST_CASE("the task's frame is gone when its future is complete") {
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_shared<int>(i);
    auto f = cl::start(cl::background_loop(), waits(cl::promise<int>(), alive));
    f.cancel();
    f.wait();
    REQUIRE(alive.use_count() == 1);
  }
}

TEST_CASE("a future that nobody keeps does not stop its task") {
  cl::run_loop loop;
  std::vector<int> order;
  {
    auto dropped = cl::start(loop, note(&order, 3));
  }
  loop.poll();
  REQUIRE(order == std::vector<int>{3});
}
