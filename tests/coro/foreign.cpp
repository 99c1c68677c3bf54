// SPDX-License-Identifier: Apache-2.0
#include "foreign_task.hpp"

#include <corolith/coro/future.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/when_all.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

struct place {
  std::thread::id thread;
  cl::loop* loop;
};
place here() { return {std::this_thread::get_id(), cl::loop::current()}; }

cl::task<int> value(int v) { co_return v; }
cl::task<int> fails() {
  throw std::range_error("ours");
  co_return 0;
}
cl::task<place> where_a_task_runs() { co_return here(); }
cl::task<int> sleeps() {
  co_await cl::sleep_for(100us);
  co_return 3;
}
cl::generator<int> count(int end) {
  for (int i = 0; i < end; ++i) co_yield i;
}

foreign::lazy<int> awaits_future(cl::future<int> f, place* resumed) {
  int v = co_await f;
  *resumed = here();
  co_return v;
}
foreign::lazy<int> awaits_task() { co_return co_await value(2) + co_await sleeps(); }
foreign::lazy<int> awaits_failing_task() { co_return co_await fails(); }
foreign::lazy<place> awaits_where() { co_return co_await where_a_task_runs(); }
foreign::lazy<long> awaits_many(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await value(1);
  co_return sum;
}
foreign::lazy<long> awaits_generator() {
  auto from = count(1000);
  long sum = 0;
  while (auto v = co_await from.next()) sum += *v;
  co_return sum;
}
foreign::lazy<bool> as_result_holds(cl::future<int> f) {
  cl::result<int> got = co_await cl::as_result(f);
  co_return got.has_value();
}

foreign::lazy<int> theirs(int v) { co_return v; }
foreign::lazy<int> theirs_failing() {
  throw std::range_error("theirs");
  co_return 0;
}
foreign::lazy<int> theirs_on_a_thread(int v) {
  co_await foreign::new_thread();
  co_return v;
}

cl::task<int> task_awaits_theirs() { co_return co_await theirs(1) + co_await theirs_on_a_thread(2); }
cl::task<int> task_awaits_failing() { co_return co_await theirs_failing(); }
cl::task<bool> task_comes_home() {
  auto before = here();
  std::thread::id elsewhere = co_await foreign::new_thread();
  auto after = here();
  co_return after.thread == before.thread&& after.loop == before.loop&& elsewhere != before.thread;
}
cl::task<long> task_awaits_many_of_theirs(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await theirs(1);
  co_return sum;
}
cl::task<int> there_and_back(int depth) {
  if (depth == 0) co_return 0;
  co_await foreign::new_thread();
  co_return 1 + co_await there_and_back(depth - 1);
}

}  // namespace

TEST_CASE("a foreign coroutine awaits a future and resumes on the background loop") {
  cl::promise<int> p;
  place resumed{};
  cl::future<int> f = p.get_future();
  std::thread completes([&p] {
    std::this_thread::sleep_for(2ms);
    p.set_value(4);
  });
  std::thread::id completing = completes.get_id();
  REQUIRE(foreign::wait(awaits_future(std::move(f), &resumed)) == 4);
  completes.join();
  REQUIRE(resumed.thread != completing);
  REQUIRE((resumed.loop == &cl::background_loop() || resumed.thread == std::this_thread::get_id()));
}

TEST_CASE("a foreign coroutine does not suspend for a complete future") {
  cl::promise<int> p;
  p.set_value(4);
  place resumed{};
  REQUIRE(foreign::wait(awaits_future(p.get_future(), &resumed)) == 4);
  REQUIRE(resumed.thread == std::this_thread::get_id());
}

TEST_CASE("a foreign coroutine sees a future's exception") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  f.cancel();
  REQUIRE_FALSE(foreign::wait(as_result_holds(std::move(f))));
  place resumed{};
  cl::future<int> broken = cl::promise<int>().get_future();
  REQUIRE_THROWS_AS(foreign::wait(awaits_future(std::move(broken), &resumed)), cl::error);
}

TEST_CASE("a foreign coroutine awaits tasks and generators; they run on the background loop") {
  REQUIRE(foreign::wait(awaits_task()) == 5);
  REQUIRE_THROWS_AS(foreign::wait(awaits_failing_task()), std::range_error);
  REQUIRE(foreign::wait(awaits_where()).loop == &cl::background_loop());
  REQUIRE(foreign::wait(awaits_many(100'000)) == 100'000);
  REQUIRE(foreign::wait(awaits_generator()) == 499'500);
}

TEST_CASE("a task awaits foreign coroutines and awaitables") {
  REQUIRE(cl::sync_wait(task_awaits_theirs()) == 3);
  REQUIRE_THROWS_WITH(cl::sync_wait(task_awaits_failing()), "theirs");
  REQUIRE(cl::sync_wait(theirs(8)) == 8);
  auto [a, b] = cl::sync_wait(cl::when_all(theirs(1), theirs_on_a_thread(2)));
  REQUIRE(a + b == 3);
}

TEST_CASE("a task comes home after a foreign awaitable resumed elsewhere") {
  for (int i = 0; i < 200; ++i) REQUIRE(cl::sync_wait(task_comes_home()));
  REQUIRE(cl::start(cl::background_loop(), task_comes_home()).get());
  REQUIRE(cl::sync_wait(there_and_back(200)) == 200);
}

TEST_CASE("a million awaits of foreign coroutines that complete at once do not grow the stack") {
  REQUIRE(cl::sync_wait(task_awaits_many_of_theirs(1'000'000)) == 1'000'000);
}
