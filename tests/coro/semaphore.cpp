// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/coro/semaphore.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<void> holds(cl::semaphore* of, std::size_t count, int name, std::vector<int>* order) {
  cl::semaphore::permit mine = co_await of->acquire(count);
  order->push_back(name);
  co_await cl::reschedule();
}

cl::task<void> lets_go(cl::semaphore::permit* of) {
  for (int i = 0; i < 5; ++i) co_await cl::reschedule();
  of->release();
}

cl::task<void> in_order(cl::semaphore* of, std::vector<int>* order) {
  cl::semaphore::permit all = co_await of->acquire(4);
  std::vector<cl::task<void>> tasks;
  for (int i = 0; i < 6; ++i) tasks.push_back(holds(of, i == 2 ? 4 : 1, i, order));
  tasks.push_back(lets_go(&all));
  all.release(1);
  co_await cl::when_all(std::move(tasks));
}

cl::task<void> waits(cl::semaphore* of, std::size_t count, std::atomic<int>* got) {
  cl::semaphore::permit mine = co_await of->acquire(count);
  ++*got;
}

cl::task<void> takes_turns(cl::semaphore* of, std::atomic<int>* inside, std::atomic<int>* most, int times) {
  for (int i = 0; i < times; ++i) {
    cl::semaphore::permit mine = co_await of->acquire(1 + static_cast<std::size_t>(i % 2));
    const int now = inside->fetch_add(static_cast<int>(mine.count())) + static_cast<int>(mine.count());
    int seen = most->load();
    while (seen < now && !most->compare_exchange_weak(seen, now)) {
    }
    co_await cl::reschedule();
    inside->fetch_sub(static_cast<int>(mine.count()));
  }
}

}  // namespace

TEST_CASE("a semaphore serves whoever asked first", "[coro]") {
  cl::semaphore four(4);
  std::vector<int> order;
  cl::sync_wait(in_order(&four, &order));
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5});
  CHECK(four.available() == 4);
}

TEST_CASE("units that are not there are not given", "[coro]") {
  cl::semaphore two(2);
  CHECK(two.capacity() == 2);
  {
    auto one = two.try_acquire();
    REQUIRE(one);
    CHECK_FALSE(two.try_acquire(2));
    auto other = two.try_acquire();
    CHECK(other);
    CHECK(two.available() == 0);
    one->release();
    CHECK(two.available() == 1);
    cl::semaphore::permit moved = std::move(*other);
    CHECK(moved.count() == 1);
    CHECK(other->count() == 0);
  }
  CHECK(two.available() == 2);
  std::atomic<int> got{0};
  CHECK_THROWS_AS(cl::sync_wait(waits(&two, 3, &got)), cl::error);
  CHECK(got == 0);
}

TEST_CASE("a task that is asked to stop leaves the queue, and those behind it move up", "[coro]") {
  cl::semaphore three(3);
  auto two = three.try_acquire(2);
  std::atomic<int> large{0}, small{0};
  std::stop_source stop;
  auto first = cl::start(cl::background_loop(), waits(&three, 3, &large), stop.get_token());
  while (three.try_acquire(1)) std::this_thread::sleep_for(1ms);  // until it waits
  auto second = cl::start(cl::background_loop(), waits(&three, 1, &small));
  std::this_thread::sleep_for(5ms);
  CHECK_FALSE(second.ready());
  stop.request_stop();
  CHECK_THROWS_AS(first.get(), cl::cancelled);
  second.get();
  CHECK(large == 0);
  CHECK(small == 1);
  two.reset();
  CHECK(three.available() == 3);
}

TEST_CASE("a task that was asked to stop before takes nothing", "[coro]") {
  cl::semaphore one(1);
  std::stop_source stop;
  stop.request_stop();
  std::atomic<int> got{0};
  CHECK_THROWS_AS(cl::sync_wait(waits(&one, 1, &got), stop.get_token()), cl::cancelled);
  CHECK(one.available() == 1);
}

TEST_CASE("a task that is destroyed while it waits leaves the queue", "[coro]") {
  cl::semaphore one(1);
  auto held = one.try_acquire();
  std::atomic<int> got{0};
  {
    cl::run_loop loop;
    cl::task<void> waiting = waits(&one, 1, &got);
    struct by_hand {
      struct promise_type : cl::coro_context {
        by_hand get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept {}
      };
      std::coroutine_handle<promise_type> handle;
    };
    const auto outer = [](cl::task<void> inner) -> by_hand { co_await std::move(inner); }(std::move(waiting));
    outer.handle.promise().home = &loop;
    outer.handle.resume();
    loop.poll();
    CHECK_FALSE(one.try_acquire());
    outer.handle.destroy();
  }
  held.reset();
  CHECK(one.try_acquire());
  CHECK(got == 0);
}

TEST_CASE("a semaphore keeps its limit among threads", "[coro]") {
  cl::semaphore three(3);
  std::atomic<int> inside{0}, most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { cl::sync_wait(takes_turns(&three, &inside, &most, 500)); });
  for (std::thread& each : threads) each.join();
  CHECK(inside == 0);
  CHECK(most >= 1);
  CHECK(most <= 3);
  CHECK(three.available() == 3);
}
