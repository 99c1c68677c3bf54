// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cl = corolith;

namespace {

cl::task<int> value(int v) { co_return v; }

cl::task<int> note(std::vector<int>* order, int v) {
  order->push_back(v);
  co_return v;
}

cl::task<long> sum_of_many(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await value(1);
  co_return sum;
}

cl::task<int> deep(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await deep(depth - 1);
}

cl::task<int> deep_throw(int depth) {
  if (depth == 0) throw std::out_of_range("the bottom");
  co_return 1 + co_await deep_throw(depth - 1);
}

cl::task<void> nothing() { co_return; }

cl::task<int&> reference(int* to) { co_return *to; }

cl::task<std::unique_ptr<int>> move_only() { co_return std::make_unique<int>(5); }

struct only_from_int {
  explicit only_from_int(int v) : held(v) {}
  only_from_int(only_from_int&&) = default;
  int held;
};
cl::task<only_from_int> converted() { co_return 9; }

cl::task<int> catches() {
  try {
    co_await deep_throw(3);
  } catch (const std::out_of_range&) {
    co_return 1;
  }
  co_return 0;
}

cl::task<int> awaits_twice() {
  cl::task<int> once = value(3);
  co_await std::move(once);
  co_return co_await std::move(once);
}

cl::task<int> awaits_nothing() { co_return co_await cl::task<int>(); }

}  // namespace

static_assert(!std::is_copy_constructible_v<cl::task<int>>);
static_assert(std::is_nothrow_move_constructible_v<cl::task<int>>);
static_assert(cl::awaitable<cl::task<int>> && !cl::awaitable<cl::task<int>&> && !cl::awaitable<int>);
static_assert(std::is_same_v<cl::await_result_t<cl::task<std::string>>, std::string>);

TEST_CASE("a task starts when it is awaited, not before") {
  std::vector<int> order;
  cl::task<int> lazy = note(&order, 1);
  REQUIRE(order.empty());
  REQUIRE(cl::sync_wait(std::move(lazy)) == 1);
  REQUIRE(order == std::vector<int>{1});
}

TEST_CASE("a task that is never awaited never runs, and its frame is freed") {
  std::vector<int> order;
  {
    auto dropped = note(&order, 1);
    REQUIRE(dropped.valid());
  }
  REQUIRE(order.empty());
}

TEST_CASE("tasks give values, references, move-only values and nothing") {
  int target = 4;
  REQUIRE(cl::sync_wait(value(7)) == 7);
  REQUIRE(&cl::sync_wait(reference(&target)) == &target);
  REQUIRE(*cl::sync_wait(move_only()) == 5);
  REQUIRE(cl::sync_wait(converted()).held == 9);
  cl::sync_wait(nothing());
}

TEST_CASE("exceptions go to whoever awaits") {
  REQUIRE_THROWS_AS(cl::sync_wait(deep_throw(2)), std::out_of_range);
  REQUIRE(cl::sync_wait(catches()) == 1);
}

TEST_CASE("a million awaits of tasks that complete at once do not grow the stack") {
  REQUIRE(cl::sync_wait(sum_of_many(1'000'000)) == 1'000'000);
}

TEST_CASE("a recursion of a hundred thousand awaits does not grow the stack") {
  REQUIRE(cl::sync_wait(deep(100'000)) == 100'000);
  REQUIRE_THROWS_WITH(cl::sync_wait(deep_throw(100'000)), "the bottom");
}

TEST_CASE("an empty task, and one awaited before, say so") {
  REQUIRE_THROWS_WITH(cl::sync_wait(awaits_nothing()), Catch::Contains("empty task"));
  REQUIRE_THROWS_WITH(cl::sync_wait(awaits_twice()), Catch::Contains("only once"));
}
