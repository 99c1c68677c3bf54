// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <exception>
#include <stop_token>
#include <thread>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<std::stop_token> token() { co_return co_await cl::this_stop_token(); }
cl::task<std::stop_token> token_of_child() { co_return co_await token(); }
cl::task<cl::loop*> home() { co_return &co_await cl::this_loop(); }
cl::task<cl::loop*> home_of_child() { co_return co_await home(); }

cl::task<void> yields(std::vector<int>* order, int id) {
  for (int i = 0; i < 3; ++i) {
    order->push_back(id);
    co_await cl::reschedule();
  }
}

cl::task<bool> sleeps(std::chrono::nanoseconds duration) {
  auto start = cl::loop::clock::now();
  co_await cl::sleep_for(duration);
  co_return cl::loop::clock::now() - start >= duration;
}

cl::task<void> counts_its_end(std::chrono::nanoseconds duration, int* ended) {
  std::exception_ptr error;
  try {
    co_await cl::sleep_for(duration);
  } catch (...) {
    error = std::current_exception();
  }
  ++*ended;
  if (error) std::rethrow_exception(error);
}

cl::task<void> reschedules(int count) {
  for (int i = 0; i < count; ++i) co_await cl::reschedule();
}

cl::task<int> sleeps_again_after_stop() {
  int stopped = 0;
  for (int i = 0; i < 2; ++i) {
    try {
      co_await cl::sleep_for(1h);
    } catch (const cl::cancelled&) {
      ++stopped;
    }
  }
  co_return stopped;
}

}  // namespace

TEST_CASE("the stop token goes down to every child") {
  std::stop_source source;
  REQUIRE(cl::sync_wait(token_of_child(), source.get_token()) == source.get_token());
  REQUIRE_FALSE(cl::sync_wait(token_of_child()).stop_possible());
}

TEST_CASE("the home loop goes down to every child") {
  REQUIRE(cl::start(cl::background_loop(), home_of_child()).get() == &cl::background_loop());
  cl::loop* own = cl::sync_wait(home_of_child());
  REQUIRE(own != nullptr);
  REQUIRE(own != &cl::background_loop());
}

TEST_CASE("reschedule lets the others run") {
  cl::run_loop loop;
  std::vector<int> order;
  cl::spawn(loop, yields(&order, 1));
  cl::spawn(loop, yields(&order, 2));
  while (loop.poll() > 0) {
  }
  REQUIRE(order == std::vector<int>{1, 2, 1, 2, 1, 2});
}

TEST_CASE("many reschedules do not grow the stack") { cl::sync_wait(reschedules(200'000)); }

TEST_CASE("sleep_for lasts, also for no time and less") {
  REQUIRE(cl::sync_wait(sleeps(2ms)));
  REQUIRE(cl::sync_wait(sleeps(0ns)));
  cl::sync_wait(cl::sleep_for(-1h));
}

TEST_CASE("a stop request ends a sleep") {
  std::stop_source source;
  SECTION("that has not begun") {
    source.request_stop();
    REQUIRE_THROWS_AS(cl::sync_wait(cl::sleep_for(1h), source.get_token()), cl::cancelled);
    REQUIRE(cl::sync_wait(sleeps_again_after_stop(), source.get_token()) == 2);
  }
  SECTION("from another thread") {
    std::thread stopper([source]() mutable { source.request_stop(); });
    REQUIRE_THROWS_AS(cl::sync_wait(cl::sleep_for(1h), source.get_token()), cl::cancelled);
    stopper.join();
  }
}

TEST_CASE("a stop request and the end of a sleep resume once") {
  int ended = 0;
  for (int i = 0; i < 500; ++i) {
    std::stop_source source;
    std::thread stopper([source]() mutable {
      std::this_thread::sleep_for(20us);
      source.request_stop();
    });
    try {  // which of the two is first is not ours to say; that each round ends, once, is the point
      cl::sync_wait(counts_its_end(60us, &ended), source.get_token());
    } catch (const cl::cancelled&) {
    }
    stopper.join();
  }
  REQUIRE(ended == 500);
}

TEST_CASE("a sleep of no end is cut short by nothing but a stop") {
  std::stop_source source;
  source.request_stop();
  REQUIRE_THROWS_AS(cl::sync_wait(cl::sleep_for(std::chrono::hours::max()), source.get_token()), cl::cancelled);
  cl::sync_wait(cl::sleep_for(std::chrono::hours::min()));
}
