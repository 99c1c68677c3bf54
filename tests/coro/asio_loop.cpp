// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/asio.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/when_any.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<int> sleeps_then(std::chrono::nanoseconds duration, int v) {
  co_await cl::sleep_for(duration);
  co_return v;
}
cl::task<std::thread::id> thread_after(cl::future<int> f) {
  co_await f;
  co_return std::this_thread::get_id();
}
cl::task<void> one_at_a_time(std::atomic<int>* inside, bool* overlapped, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    if (inside->fetch_add(1) != 0) *overlapped = true;
    inside->fetch_sub(1);
    co_await cl::reschedule();
  }
}
cl::task<void> notes(std::vector<int>* order, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    order->push_back(i);
    co_await cl::reschedule();
  }
}
cl::task<int> waits_for_stop(cl::promise<int> p) {
  cl::future<int> f = p.get_future();
  co_return co_await f;
}
cl::task<void> fails() {
  co_await cl::reschedule();
  throw std::range_error("spawned");
}
cl::task<int> spawns_another(bool* ran);
cl::task<void> outlives(bool* ran) {
  co_await cl::sleep_for(1ms);
  *ran = true;
}
cl::task<int> spawns_another(bool* ran) {
  cl::spawn(co_await cl::this_loop(), outlives(ran));
  co_return 1;
}

}  // namespace

TEST_CASE("tasks run on an io_context, which runs as long as they do") {
  asio::io_context context;
  cl::asio_loop loop(context.get_executor());
  auto f = cl::start(loop, sleeps_then(1ms, 4));
  REQUIRE(f.state() == cl::call_state::pending);
  context.run();
  REQUIRE(f.state() == cl::call_state::done);
  REQUIRE(f.get() == 4);
}

TEST_CASE("a task on an io_context awaits a future that another thread completes") {
  asio::io_context context;
  cl::asio_loop loop(context.get_executor());
  cl::promise<int> p;
  auto f = cl::start(loop, thread_after(p.get_future()));
  std::thread other([&p] {
    std::this_thread::sleep_for(1ms);
    p.set_value(1);
  });
  context.run();
  other.join();
  REQUIRE(f.get() == std::this_thread::get_id());
}

TEST_CASE("timers of an asio_loop come in order and can be taken back") {
  asio::io_context context;
  cl::asio_loop loop(context.get_executor());
  auto late = cl::start(loop, sleeps_then(1h, 1));
  auto soon = cl::start(loop, sleeps_then(2ms, 2));
  auto sooner = cl::start(loop, sleeps_then(1ms, 3));
  asio::steady_timer stop(context, 5ms);
  stop.async_wait([&late](auto) { late.cancel(); });
  context.run();  // returns: no alarm is left behind
  REQUIRE(sooner.get() == 3);
  REQUIRE(soon.get() == 2);
  REQUIRE_THROWS_AS(late.get(), cl::cancelled);
}

TEST_CASE("tasks of one asio_loop do not overlap, even if many threads run the context") {
  asio::io_context context;
  cl::asio_loop loop(context.get_executor());
  std::atomic<int> inside = 0;
  bool overlapped = false;
  std::vector<cl::future<void>> ends;
  for (int i = 0; i < 8; ++i) ends.push_back(cl::start(loop, one_at_a_time(&inside, &overlapped, 500)));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&context] { context.run(); });
  for (auto& thread : threads) thread.join();
  for (auto& end : ends) REQUIRE(end.state() == cl::call_state::done);
  REQUIRE_FALSE(overlapped);
}

TEST_CASE("an asio_loop lets Asio's other handlers have their turn") {
  asio::io_context context;
  cl::asio_loop loop(context.get_executor());
  std::vector<int> order;
  cl::spawn(loop, notes(&order, 3));
  asio::post(context, [&order] { order.push_back(100); });
  context.run();
  REQUIRE(order == std::vector<int>{0, 100, 1, 2});
}

TEST_CASE("co_spawn_task hands the outcome to a handler") {
  asio::io_context context;
  int got = 0;
  std::exception_ptr error;
  cl::co_spawn_task(context.get_executor(), sleeps_then(100us, 5), [&got](std::exception_ptr failure, int v) {
    if (!failure) got = v;
  });
  cl::co_spawn_task(context.get_executor(), fails(), [&error](std::exception_ptr failure) { error = failure; });
  context.run();
  REQUIRE(got == 5);
  REQUIRE(error != nullptr);
  REQUIRE_THROWS_WITH(std::rethrow_exception(error), "spawned");
}

TEST_CASE("a signal on the handler's slot stops a task of co_spawn_task") {
  asio::io_context context;
  asio::cancellation_signal signal;
  std::exception_ptr error;
  cl::co_spawn_task(
      context.get_executor(), waits_for_stop(cl::promise<int>()),
      asio::bind_cancellation_slot(signal.slot(), [&error](std::exception_ptr failure, int) { error = failure; }));
  asio::post(context, [&signal] { signal.emit(asio::cancellation_type::terminal); });
  context.run();
  REQUIRE(error != nullptr);
  REQUIRE_THROWS_AS(std::rethrow_exception(error), cl::cancelled);
}

TEST_CASE("what a task of co_spawn_task spawned on its loop may outlive it") {
  asio::io_context context;
  bool ran = false;
  int got = 0;
  cl::co_spawn_task(context.get_executor(), spawns_another(&ran), [&got](std::exception_ptr, int v) { got = v; });
  context.run();
  REQUIRE(got == 1);
  REQUIRE(ran);
}

TEST_CASE("a context that is never run to the end frees what it holds") {
  auto alive = std::make_shared<int>(1);
  {
    asio::io_context context;
    cl::asio_loop loop(context.get_executor());
    asio::post(context, [alive] {});
  }
  REQUIRE(alive.use_count() == 1);
}
