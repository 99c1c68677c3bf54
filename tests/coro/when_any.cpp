// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/future.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/when_any.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<int> value(int v) {
  co_await cl::reschedule();
  co_return v;
}
cl::task<int> fails() {
  co_await cl::reschedule();
  throw std::domain_error("won");
}
cl::task<std::string> waits_for_stop(bool* ended) {
  try {
    co_await cl::sleep_for(1h);
  } catch (const cl::cancelled&) {
    *ended = true;
    throw;
  }
  co_return "slept";
}
cl::task<int> ignores_stop(bool* ended) {
  for (int i = 0; i < 50; ++i) co_await cl::reschedule();
  *ended = true;
  co_return 1;
}

}  // namespace

TEST_CASE("when_any gives the first value, stops the others and waits for them") {
  bool stopped = false, stubborn = false;
  auto first = cl::sync_wait(cl::when_any(waits_for_stop(&stopped), value(5), ignores_stop(&stubborn)));
  REQUIRE(first.index == 1);
  REQUIRE(std::get<1>(first.value) == 5);
  REQUIRE(stopped);
  REQUIRE(stubborn);
}

TEST_CASE("when_any of many gives index and value") {
  std::vector<cl::promise<int>> promises(100);
  std::vector<cl::future<int>> futures;
  for (auto& p : promises) futures.push_back(p.get_future());
  std::thread other([&promises] { promises[42].set_value(7); });
  auto first = cl::sync_wait(cl::when_any(std::move(futures)));
  other.join();
  REQUIRE(first.index == 42);
  REQUIRE(first.value == 7);
  REQUIRE(promises[41].get_future().state() == cl::call_state::cancelled);
}

TEST_CASE("an exception can be first") {
  bool stopped = false;
  REQUIRE_THROWS_AS(cl::sync_wait(cl::when_any(waits_for_stop(&stopped), fails())), std::domain_error);
  REQUIRE(stopped);
}

TEST_CASE("when_any as a timeout") {
  cl::promise<int> never;
  auto first = cl::sync_wait(cl::when_any(never.get_future(), cl::sleep_for(1ms)));
  REQUIRE(first.index == 1);
  REQUIRE(std::holds_alternative<std::monostate>(first.value));
  REQUIRE(never.get_future().state() == cl::call_state::cancelled);
}

TEST_CASE("a stop request reaches everything in when_any") {
  bool first = false, second = false;
  std::stop_source source;
  source.request_stop();
  REQUIRE_THROWS_AS(cl::sync_wait(cl::when_any(waits_for_stop(&first), waits_for_stop(&second)), source.get_token()),
                    cl::cancelled);
  REQUIRE((first && second));
}

TEST_CASE("when_any of nothing says so") {
  REQUIRE_THROWS_WITH(cl::sync_wait(cl::when_any(std::vector<cl::task<int>>())),
                      Catch::Contains("something to wait for"));
}

TEST_CASE("several completions at once leave one winner") {
  for (int i = 0; i < 500; ++i) {
    std::vector<cl::promise<int>> promises(2);
    std::vector<cl::future<int>> futures;
    for (auto& p : promises) futures.push_back(p.get_future());
    std::thread one([&promises] { promises[0].set_value(0); });
    std::thread two([&promises] { promises[1].set_value(1); });
    auto first = cl::sync_wait(cl::when_any(std::move(futures)));
    one.join();
    two.join();
    REQUIRE(first.index < 2);
    REQUIRE(first.value == static_cast<int>(first.index));
  }
}
