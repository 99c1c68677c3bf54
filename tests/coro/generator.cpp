// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/future.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::generator<int> count(int end) {
  for (int i = 0; i < end; ++i) co_yield i;
}
cl::generator<int> count_slowly(int end) {
  for (int i = 0; i < end; ++i) {
    co_await cl::sleep_for(100us);
    co_yield i;
  }
}
cl::generator<int> count_then_fail(int end) {
  for (int i = 0; i < end; ++i) co_yield i;
  throw std::underflow_error("ran dry");
}
cl::generator<int> squares(cl::generator<int> of) {
  while (auto v = co_await of.next()) co_yield *v** v;
}
cl::generator<std::unique_ptr<int>> move_only() {
  co_yield std::make_unique<int>(1);
  auto kept = std::make_unique<int>(2);
  co_yield std::move(kept);
}
cl::generator<std::string> texts() {
  const std::string kept = "kept";
  co_yield kept;
  co_yield "literal";
}
cl::generator<int> holds(std::shared_ptr<int> alive) {
  for (;;) co_yield *alive;
}
cl::generator<std::stop_token> tokens() {
  for (;;) co_yield co_await cl::this_stop_token();
}
cl::generator<int> never() {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  co_yield co_await f;
}

template <class T>
cl::task<std::vector<T>> collect(cl::generator<T> from) {
  std::vector<T> all;
  while (auto v = co_await from.next()) all.push_back(std::move(*v));
  REQUIRE_FALSE(co_await from.next());
  co_return all;
}
cl::task<long> sum(cl::generator<int> from) {
  long total = 0;
  while (auto v = co_await from.next()) total += *v;
  co_return total;
}
cl::task<int> first(cl::generator<int> from) { co_return *co_await from.next(); }
cl::task<int> seen_before_failure() {
  auto from = count_then_fail(3);
  int seen = 0;
  bool failed = false;
  try {
    while (co_await from.next()) ++seen;
  } catch (const std::underflow_error&) {
    failed = true;
  }
  if (co_await from.next()) seen = -1;
  co_return failed ? seen : -2;
}
cl::task<std::stop_token> first_token() {
  auto from = tokens();
  co_return *co_await from.next();
}

}  // namespace

TEST_CASE("a generator gives its values and then nothing") {
  REQUIRE(cl::sync_wait(collect(count(4))) == std::vector<int>{0, 1, 2, 3});
  REQUIRE(cl::sync_wait(collect(count(0))).empty());
  REQUIRE(cl::sync_wait(collect(cl::generator<int>())).empty());
  REQUIRE(cl::sync_wait(collect(texts())) == std::vector<std::string>{"kept", "literal"});
  REQUIRE(cl::sync_wait(collect(move_only())).size() == 2);
}

TEST_CASE("a generator may await, tasks and other generators") {
  REQUIRE(cl::sync_wait(collect(count_slowly(3))) == std::vector<int>{0, 1, 2});
  REQUIRE(cl::sync_wait(collect(squares(squares(count_slowly(3))))) == std::vector<int>{0, 1, 16});
}

TEST_CASE("an exception comes out of next, after it there is nothing") {
  REQUIRE(cl::sync_wait(seen_before_failure()) == 3);
}

TEST_CASE("a generator that is dropped where it yielded frees what it holds") {
  auto alive = std::make_shared<int>(7);
  REQUIRE(cl::sync_wait(first(holds(alive))) == 7);
  REQUIRE(alive.use_count() == 1);
}

TEST_CASE("a million values do not grow the stack") {
  REQUIRE(cl::sync_wait(sum(count(1'000'000))) == 499'999'500'000);
}

TEST_CASE("a generator runs on the loop of its consumer and sees its stop token") {
  std::stop_source source;
  REQUIRE(cl::sync_wait(first_token(), source.get_token()) == source.get_token());
  std::thread other([source]() mutable { source.request_stop(); });
  REQUIRE_THROWS_AS(cl::sync_wait(first(never()), source.get_token()), cl::cancelled);
  other.join();
  REQUIRE(cl::start(cl::background_loop(), sum(count_slowly(3))).get() == 3);
}
