// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/future.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<int> sleeps_then(int v) {
  co_await cl::sleep_for(100us);
  co_return v;
}
cl::task<int> blocks_inside(int depth) {
  if (depth == 0) co_return co_await sleeps_then(1);
  co_return 1 + cl::sync_wait(blocks_inside(depth - 1));
}
cl::task<int> fails() {
  co_await cl::reschedule();
  throw std::logic_error("as asked");
}

}  // namespace

TEST_CASE("sync_wait returns the value or throws") {
  REQUIRE(cl::sync_wait(sleeps_then(4)) == 4);
  REQUIRE_THROWS_AS(cl::sync_wait(fails()), std::logic_error);
}

TEST_CASE("sync_wait inside a task that somebody sync_waits for") {
  REQUIRE(cl::sync_wait(blocks_inside(10)) == 11);
  REQUIRE(cl::loop::current() == nullptr);
}

TEST_CASE("sync_wait takes futures, also as lvalues") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  std::thread other([&p] { p.set_value(2); });
  REQUIRE(cl::sync_wait(f) == 2);
  other.join();
}

TEST_CASE("sync_wait passes a stop token") {
  std::stop_source source;
  cl::promise<int> p;
  source.request_stop();
  REQUIRE_THROWS_AS(cl::sync_wait(p.get_future(), source.get_token()), cl::cancelled);
}

TEST_CASE("the loop may die while the completing thread still leaves it") {
  for (int i = 0; i < 2000; ++i) {
    cl::promise<int> p;
    cl::future<int> f = p.get_future();
    std::thread other([p = std::move(p), i]() mutable { p.set_value(i); });
    REQUIRE(cl::sync_wait(std::move(f)) == i);
    other.join();
  }
}
