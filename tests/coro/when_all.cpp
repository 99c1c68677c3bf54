// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/future.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/when_all.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<int> value(int v) { co_return v; }
cl::task<std::string> text() {
  co_await cl::sleep_for(200us);
  co_return "text";
}
cl::task<void> nothing() { co_return; }
cl::task<std::unique_ptr<int>> move_only() { co_return std::make_unique<int>(6); }
cl::task<int> fails() {
  co_await cl::reschedule();
  throw std::domain_error("first");
}
cl::task<int> waits_for_stop(bool* ended) {
  try {
    co_await cl::sleep_for(1h);
  } catch (const cl::cancelled&) {
    *ended = true;
    throw;
  }
  co_return 0;
}
cl::task<int> notes_turn(std::vector<int>* order, int id) {
  order->push_back(id);
  co_await cl::reschedule();
  order->push_back(id + 10);
  co_return id;
}
cl::task<int> nested(int depth) {
  if (depth == 0) co_return 0;
  auto [below] = co_await cl::when_all(nested(depth - 1));
  co_return below + 1;
}
cl::task<long> fibonacci(int n) {
  if (n < 2) co_return n;
  auto [a, b] = co_await cl::when_all(fibonacci(n - 1), fibonacci(n - 2));
  co_return a + b;
}
cl::task<int> on_loop(int v) {
  if (v % 3 == 0) co_await cl::reschedule();
  co_return v;
}

}  // namespace

TEST_CASE("when_all gives a tuple of the values") {
  auto [a, b, c, d] = cl::sync_wait(cl::when_all(value(1), text(), nothing(), move_only()));
  REQUIRE(a == 1);
  REQUIRE(b == "text");
  static_assert(std::is_same_v<decltype(c), std::monostate>);
  REQUIRE(*d == 6);
  REQUIRE(std::tuple_size_v<decltype(cl::sync_wait(cl::when_all()))> == 0);
}

TEST_CASE("when_all gives a vector of the values, in the order given") {
  std::vector<cl::task<int>> tasks;
  for (int i = 0; i < 1000; ++i) tasks.push_back(on_loop(i));
  std::vector<int> expected;
  for (int i = 0; i < 1000; ++i) expected.push_back(i);
  REQUIRE(cl::sync_wait(cl::when_all(std::move(tasks))) == expected);
  REQUIRE(cl::sync_wait(cl::when_all(std::vector<cl::task<int>>())).empty());
  std::vector<cl::task<void>> voids;
  voids.push_back(nothing());
  cl::sync_wait(cl::when_all(std::move(voids)));
}

TEST_CASE("when_all starts all in order before any goes on") {
  std::vector<int> order;
  cl::sync_wait(cl::when_all(notes_turn(&order, 1), notes_turn(&order, 2), notes_turn(&order, 3)));
  REQUIRE(order == std::vector<int>{1, 2, 3, 11, 12, 13});
}

TEST_CASE("when_all stops the others when one fails, and waits for them") {
  bool ended = false;
  REQUIRE_THROWS_AS(cl::sync_wait(cl::when_all(waits_for_stop(&ended), fails())), std::domain_error);
  REQUIRE(ended);
}

TEST_CASE("a stop request reaches everything in when_all") {
  bool first = false, second = false;
  std::stop_source source;
  std::thread other([source]() mutable { source.request_stop(); });
  REQUIRE_THROWS_AS(cl::sync_wait(cl::when_all(waits_for_stop(&first), waits_for_stop(&second)), source.get_token()),
                    cl::cancelled);
  other.join();
  REQUIRE((first && second));
}

TEST_CASE("when_all of futures that other threads complete") {
  std::vector<cl::promise<int>> promises(2000);
  std::vector<cl::future<int>> futures;
  for (auto& p : promises) futures.push_back(p.get_future());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t)
    threads.emplace_back([&promises, t] {
      for (std::size_t i = t; i < promises.size(); i += 2) promises[i].set_value(static_cast<int>(i));
    });
  std::vector<int> got = cl::sync_wait(cl::when_all(std::move(futures)));
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == static_cast<int>(i));
}

TEST_CASE("when_all cancels the futures that are left when one fails") {
  cl::promise<int> bad, left;
  std::vector<cl::future<int>> futures;
  futures.push_back(left.get_future());
  futures.push_back(bad.get_future());
  bad.set_exception(std::make_exception_ptr(std::domain_error("bad")));
  REQUIRE_THROWS_AS(cl::sync_wait(cl::when_all(std::move(futures))), std::domain_error);
  REQUIRE(left.get_future().state() == cl::call_state::cancelled);
}

TEST_CASE("when_all mixes tasks, futures, sleeps and results") {
  cl::promise<int> p;
  p.set_exception(std::make_exception_ptr(std::domain_error("kept")));
  cl::future<int> f = p.get_future();
  cl::future<int> started = cl::start(cl::background_loop(), value(3));
  auto [a, b, c] = cl::sync_wait(cl::when_all(cl::as_result(f), std::move(started), cl::sleep_for(1us)));
  REQUIRE_FALSE(a.has_value());
  REQUIRE(b == 3);
  (void)c;
}

TEST_CASE("when_all inside when_all, deep and wide, does not grow the stack") {
  REQUIRE(cl::sync_wait(nested(50'000)) == 50'000);
  REQUIRE(cl::sync_wait(fibonacci(18)) == 2584);
}
