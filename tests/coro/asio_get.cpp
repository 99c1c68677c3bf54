// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/asio.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/spawn.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

asio::awaitable<std::string> awaits(cl::future<std::string> f, std::thread::id* resumed_on) {
  std::string got = co_await f.async_get(asio::use_awaitable);
  *resumed_on = std::this_thread::get_id();
  co_return got;
}
asio::awaitable<void> awaits_nothing(cl::future<void> f) { co_await cl::async_get(std::move(f), asio::use_awaitable); }
asio::awaitable<long> awaits_many(std::vector<cl::future<int>> futures) {
  long sum = 0;
  for (auto& f : futures) sum += co_await f.async_get(asio::use_awaitable);
  co_return sum;
}
cl::task<int> value(int v) {
  co_await cl::sleep_for(100us);
  co_return v;
}
asio::awaitable<int> awaits_task(int v) {
  co_return co_await cl::co_spawn_task(co_await asio::this_coro::executor, value(v), asio::use_awaitable);
}

}  // namespace

TEST_CASE("asio::awaitable awaits a future and resumes on its own executor") {
  asio::io_context context;
  cl::promise<std::string> p;
  std::thread::id resumed_on;
  std::future<std::string> ended = asio::co_spawn(context, awaits(p.get_future(), &resumed_on), asio::use_future);
  std::thread other([&p] {
    std::this_thread::sleep_for(1ms);
    p.set_value("far");
  });
  context.run();  // the pending future counts as work
  other.join();
  REQUIRE(ended.get() == "far");
  REQUIRE(resumed_on == std::this_thread::get_id());
}

TEST_CASE("asio::awaitable sees the exception of a future") {
  asio::io_context context;
  cl::promise<std::string> bad;
  bad.set_exception(std::make_exception_ptr(std::range_error("far off")));
  std::thread::id resumed_on;
  auto ended = asio::co_spawn(context, awaits(bad.get_future(), &resumed_on), asio::use_future);
  auto broken = asio::co_spawn(context, awaits_nothing(cl::promise<void>().get_future()), asio::use_future);
  cl::promise<void> good;
  good.set_value();
  auto nothing = asio::co_spawn(context, awaits_nothing(good.get_future()), asio::use_future);
  context.run();
  REQUIRE_THROWS_WITH(ended.get(), "far off");
  REQUIRE_THROWS_AS(broken.get(), cl::error);
  nothing.get();
}

TEST_CASE("asio::awaitable awaits many futures and tasks") {
  asio::io_context context;
  std::vector<cl::promise<int>> promises(2000);
  std::vector<cl::future<int>> futures;
  for (auto& p : promises) futures.push_back(p.get_future());
  auto sum = asio::co_spawn(context, awaits_many(std::move(futures)), asio::use_future);
  auto task = asio::co_spawn(context, awaits_task(9), asio::use_future);
  std::thread other([&promises] {
    for (auto& p : promises) p.set_value(1);
  });
  context.run();
  other.join();
  REQUIRE(sum.get() == 2000);
  REQUIRE(task.get() == 9);
}

TEST_CASE("cancelling an asio::awaitable cancels the future that it awaits") {
  asio::io_context context;
  asio::cancellation_signal signal;
  cl::promise<std::string> p;
  bool cancelled = false;
  p.set_on_cancel([&cancelled] { cancelled = true; });
  std::thread::id resumed_on;
  std::exception_ptr error;
  asio::co_spawn(context, awaits(p.get_future(), &resumed_on),
                 asio::bind_cancellation_slot(signal.slot(),
                                              [&error](std::exception_ptr failure, std::string) { error = failure; }));
  asio::steady_timer soon(context, 1ms);
  soon.async_wait([&signal](auto) { signal.emit(asio::cancellation_type::all); });
  context.run();
  REQUIRE(cancelled);
  REQUIRE(error != nullptr);
  REQUIRE_THROWS_AS(std::rethrow_exception(error), cl::cancelled);
}

TEST_CASE("a handler runs on its associated executor") {
  asio::io_context context;
  cl::promise<std::unique_ptr<int>> p;
  cl::future<std::unique_ptr<int>> f = p.get_future();
  int got = 0;
  f.async_get(asio::bind_executor(context, [&got](std::exception_ptr failure, std::unique_ptr<int> v) {
    if (!failure) got = *v;
  }));
  p.set_value(std::make_unique<int>(3));
  REQUIRE(got == 0);
  context.run();
  REQUIRE(got == 3);
}

TEST_CASE("std::future through Asio's use_future") {
  cl::promise<int> p;
  std::future<int> theirs = cl::async_get(p.get_future(), asio::use_future);
  p.set_value(2);
  REQUIRE(theirs.get() == 2);
}
