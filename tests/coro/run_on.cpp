// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/run_on.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include <catch2/catch.hpp>

#include <atomic>
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

struct other_thread {
  cl::run_loop loop;
  std::thread thread{[this] { loop.run(); }};
  ~other_thread() {
    loop.stop();
    thread.join();
  }
};

cl::task<std::thread::id> where() { co_return std::this_thread::get_id(); }

cl::task<std::unique_ptr<int>> owned(int value) { co_return std::make_unique<int>(value); }

cl::task<int> throws() {
  throw std::out_of_range("there");
  co_return 0;
}

cl::task<void> there_and_back(cl::loop* loop, std::thread::id there) {
  const auto here = std::this_thread::get_id();
  const auto seen = co_await cl::run_on(*loop, where());
  CHECK(seen == there);
  CHECK(std::this_thread::get_id() == here);
}

/// Sees the stop request and takes its time all the same.
cl::task<void> reluctant(std::atomic<bool>* began, std::atomic<bool>* ended) {
  struct at_end {
    std::atomic<bool>* ended;
    ~at_end() { *ended = true; }
  } guard{ended};
  const std::stop_token stop = co_await cl::this_stop_token();
  *began = true;
  while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(20ms);
  throw cl::cancelled("as was asked");
}

cl::task<void> adds(std::vector<int>* to, int value) {
  to->push_back(value);  // all on one loop: no lock
  co_return;
}

cl::task<void> many(cl::loop* loop, std::vector<int>* to) {
  for (int i = 0; i < 1000; ++i) co_await cl::run_on(*loop, adds(to, i));
}

}  // namespace

TEST_CASE("a task runs on another loop and its awaiter resumes at home", "[coro]") {
  other_thread other;
  cl::sync_wait(there_and_back(&other.loop, other.thread.get_id()));
}

TEST_CASE("run_on gives what the task gives", "[coro]") {
  other_thread other;
  CHECK(*cl::sync_wait(cl::run_on(other.loop, owned(7))) == 7);
  CHECK_THROWS_AS(cl::sync_wait(cl::run_on(other.loop, throws())), std::out_of_range);
}

TEST_CASE("run_on resumes only when a task that was asked to stop has ended", "[coro]") {
  other_thread other;
  std::atomic<bool> began{false}, ended{false};
  std::stop_source stop;
  std::thread stopper([&] {
    while (!began) std::this_thread::sleep_for(1ms);
    stop.request_stop();
  });
  CHECK_THROWS_AS(cl::sync_wait(cl::run_on(other.loop, reluctant(&began, &ended)), stop.get_token()), cl::cancelled);
  CHECK(ended);
  stopper.join();
}

TEST_CASE("run_on can be awaited from several loops at once", "[coro]") {
  other_thread other;
  std::vector<int> all;
  std::thread second([&] { cl::sync_wait(many(&other.loop, &all)); });
  cl::sync_wait(many(&other.loop, &all));
  second.join();
  CHECK(all.size() == 2000);
}

TEST_CASE("run_on on the loop where one is already", "[coro]") {
  other_thread other;
  std::vector<int> all;
  cl::sync_wait(cl::run_on(other.loop, many(&other.loop, &all)));
  CHECK(all.size() == 1000);
}
