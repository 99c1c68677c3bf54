// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/future.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

cl::task<int> await(cl::future<int> f) { co_return co_await f; }

cl::task<std::thread::id> resumed_on(cl::future<int> f) {
  co_await f;
  co_return std::this_thread::get_id();
}

cl::task<std::string> outcome(cl::future<int> f) {
  cl::result<int> got = co_await cl::as_result(f);
  if (got.has_value()) co_return "value";
  try {
    got.value();
  } catch (const std::exception& caught) {
    co_return caught.what();
  }
  co_return "neither";
}

cl::task<long> sum_of_ready(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) {
    cl::promise<int> p;
    p.set_value(1);
    sum += co_await p.get_future();
  }
  co_return sum;
}

cl::task<long> sum_in_order(std::vector<cl::future<int>> futures) {
  long sum = 0;
  for (auto& f : futures) sum += co_await f;
  co_return sum;
}

// A state whose value is made where it is read, as the decoding of a result is.
class text_state : public cl::detail::future_state<std::string> {
 public:
  explicit text_state(std::string raw) : raw_(std::move(raw)) {}
  std::thread::id made_on;

 private:
  void materialise() override {
    made_on = std::this_thread::get_id();
    if (raw_.empty()) throw cl::codec_error("nothing to decode");
    value_.emplace("decoded " + raw_);
  }
  std::string raw_;
};

}  // namespace

static_assert(!std::is_copy_constructible_v<cl::promise<int>>);
static_assert(std::is_same_v<cl::await_result_t<cl::future<int>&>, int>);
static_assert(
    std::is_same_v<cl::await_result_t<decltype(cl::as_result(std::declval<cl::future<int>&>()))>, cl::result<int>>);

TEST_CASE("a future is complete when its promise says so") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  REQUIRE(f.state() == cl::call_state::pending);
  p.mark_running();
  REQUIRE(f.state() == cl::call_state::running);
  REQUIRE_FALSE(f.ready());
  p.stats().host = "node7";
  REQUIRE(p.set_value(3));
  REQUIRE_FALSE(p.set_value(4));
  p.mark_running();
  REQUIRE(f.state() == cl::call_state::done);
  REQUIRE(f.get() == 3);
  REQUIRE(f.stats().host == "node7");
  REQUIRE_THROWS_WITH(f.get(), Catch::Contains("taken already"));
}

TEST_CASE("a future may hold nothing, or what can only be moved") {
  cl::promise<void> nothing;
  nothing.set_value();
  nothing.get_future().get();
  cl::promise<std::unique_ptr<int>> move_only;
  move_only.set_value(std::make_unique<int>(2));
  REQUIRE(*cl::sync_wait(move_only.get_future()) == 2);
}

TEST_CASE("an exception takes the value's place") {
  cl::promise<int> p;
  p.set_exception(std::make_exception_ptr(std::domain_error("no")));
  cl::future<int> f = p.get_future();
  REQUIRE(f.state() == cl::call_state::failed);
  REQUIRE_THROWS_AS(f.get(), std::domain_error);
}

TEST_CASE("a value whose making throws becomes an exception") {
  struct throws {
    explicit throws(int) { throw std::length_error("too long"); }
    throws(throws&&) = default;
  };
  cl::promise<throws> p;
  p.set_value(1);
  REQUIRE_THROWS_AS(p.get_future().get(), std::length_error);
}

TEST_CASE("a promise that is dropped breaks") {
  cl::future<int> f = cl::promise<int>().get_future();
  try {
    f.get();
    FAIL("got a value from nowhere");
  } catch (const cl::error& caught) {
    REQUIRE(caught.code() == cl::errc::broken_promise);
  }
  cl::promise<int> overwritten;
  f = overwritten.get_future();
  overwritten = cl::promise<int>();
  REQUIRE(f.state() == cl::call_state::failed);
}

TEST_CASE("an empty future says so") {
  cl::future<int> f;
  REQUIRE_FALSE(f.valid());
  f.cancel();
  REQUIRE_THROWS_WITH(f.get(), Catch::Contains("empty"));
  REQUIRE_THROWS_WITH(cl::sync_wait(f), Catch::Contains("empty"));
}

TEST_CASE("get and wait block until another thread completes the future") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  REQUIRE_FALSE(f.wait_for(1ms));
  std::thread other([&p] { p.set_value(8); });
  REQUIRE(f.get() == 8);
  REQUIRE(f.wait_for(0ms));
  other.join();
}

TEST_CASE("wait_for with a timeout races with the completion") {
  for (int i = 0; i < 1000; ++i) {
    cl::promise<int> p;
    cl::future<int> f = p.get_future();
    std::thread other([p = std::move(p), i]() mutable { p.set_value(i); });
    while (!f.wait_for(5us)) {
    }
    REQUIRE(f.get() == i);
    other.join();
  }
}

TEST_CASE("a task resumes on its own loop, not on the thread that completes the future") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  std::thread other([&p] { p.set_value(1); });
  REQUIRE(cl::sync_wait(resumed_on(std::move(f))) == std::this_thread::get_id());
  other.join();
}

TEST_CASE("as_result gives the value or the exception") {
  cl::promise<int> good, bad;
  good.set_value(1);
  bad.set_exception(std::make_exception_ptr(std::runtime_error("went wrong")));
  REQUIRE(cl::sync_wait(outcome(good.get_future())) == "value");
  REQUIRE(cl::sync_wait(outcome(bad.get_future())) == "went wrong");
}

TEST_CASE("a million awaits of complete futures do not grow the stack") {
  REQUIRE(cl::sync_wait(sum_of_ready(1'000'000)) == 1'000'000);
}

TEST_CASE("a hundred thousand futures completed by another thread") {
  constexpr int count = 100'000;
  std::vector<cl::promise<int>> promises(count);
  std::vector<cl::future<int>> futures;
  for (auto& p : promises) futures.push_back(p.get_future());
  std::thread other([&promises] {
    for (auto& p : promises) p.set_value(2);
  });
  REQUIRE(cl::sync_wait(sum_in_order(std::move(futures))) == 2 * count);
  other.join();
}

TEST_CASE("cancel completes a future that nobody else will") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  f.cancel();
  REQUIRE(f.state() == cl::call_state::cancelled);
  REQUIRE_THROWS_AS(f.get(), cl::cancelled);
  REQUIRE_FALSE(p.set_value(1));
}

TEST_CASE("cancel of a complete future changes nothing") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  bool called = false;
  p.set_on_cancel([&called] { called = true; });
  p.set_value(1);
  f.cancel();
  REQUIRE_FALSE(called);
  REQUIRE(f.get() == 1);
}

TEST_CASE("the producer's hook decides what a cancel does, once") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  int calls = 0;
  SECTION("set before the cancel") {
    p.set_on_cancel([&calls] { ++calls; });
    f.cancel();
    f.cancel();
    REQUIRE(calls == 1);
    REQUIRE(f.state() == cl::call_state::pending);
    p.set_value(5);
    REQUIRE(f.get() == 5);
  }
  SECTION("that throws fails the future") {
    p.set_on_cancel([] { throw std::runtime_error("cannot"); });
    f.cancel();
    REQUIRE_THROWS_WITH(f.get(), "cannot");
  }
}

TEST_CASE("a value may be made where it is read") {
  auto state = std::make_shared<text_state>("bytes");
  cl::future<std::string> f(state);
  std::thread other([state] { state->set_raw(); });
  REQUIRE(cl::sync_wait(f) == "decoded bytes");
  REQUIRE(state->made_on == std::this_thread::get_id());
  other.join();

  auto broken = std::make_shared<text_state>("");
  broken->set_raw();
  REQUIRE_THROWS_AS(cl::future<std::string>(broken).get(), cl::codec_error);
}

TEST_CASE("a stop request cancels the future and resumes the task") {
  cl::promise<int> p;
  cl::future<int> f = p.get_future();
  std::atomic<bool> cancelled = false;
  p.set_on_cancel([&cancelled] { cancelled = true; });  // and does not complete: the task must not wait for that
  std::stop_source source;
  SECTION("before the await") {
    source.request_stop();
    REQUIRE_THROWS_AS(cl::sync_wait(await(std::move(f)), source.get_token()), cl::cancelled);
  }
  SECTION("during the await") {
    std::thread other([source]() mutable { source.request_stop(); });
    REQUIRE_THROWS_AS(cl::sync_wait(await(std::move(f)), source.get_token()), cl::cancelled);
    other.join();
  }
  SECTION("as_result holds it") {
    source.request_stop();
    REQUIRE(cl::sync_wait(outcome(std::move(f)), source.get_token()) ==
            "cancelled: the awaiting task was asked to stop");
  }
  REQUIRE(cancelled);
  REQUIRE(p.set_value(1));
}

TEST_CASE("a complete future gives its value even to a task that was asked to stop") {
  cl::promise<int> p;
  p.set_value(6);
  std::stop_source source;
  source.request_stop();
  REQUIRE(cl::sync_wait(await(p.get_future()), source.get_token()) == 6);
}

TEST_CASE("completion and stop request race: the task resumes once") {
  int values = 0, stops = 0;
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i) {
    cl::promise<int> p;
    cl::future<int> f = p.get_future();
    std::stop_source source;
    std::atomic<int> ready = 0;
    std::thread completes([&ready, p = std::move(p)]() mutable {
      for (++ready; ready < 2;) {
      }
      p.set_value(1);
    });
    std::thread stops_it([&ready, source]() mutable {
      for (++ready; ready < 2;) {
      }
      source.request_stop();
    });
    try {
      values += cl::sync_wait(await(std::move(f)), source.get_token());
    } catch (const cl::cancelled&) {
      ++stops;
    }
    completes.join();
    stops_it.join();
  }
  REQUIRE(values + stops == rounds);
}

TEST_CASE("a waiter that was removed is not notified") {
  struct counted : cl::detail::waiter {
    int notified = 0;
  };
  cl::detail::future_state<int> state;
  counted kept, removed, late;
  for (counted* each : {&kept, &removed, &late})
    each->notify = [](cl::detail::waiter* item) noexcept { ++static_cast<counted*>(item)->notified; };
  REQUIRE(state.add_waiter(kept));
  REQUIRE(state.add_waiter(removed));
  REQUIRE(state.remove_waiter(removed));
  REQUIRE_FALSE(state.remove_waiter(removed));
  state.set_value(1);
  REQUIRE(kept.notified == 1);
  REQUIRE(removed.notified == 0);
  REQUIRE_FALSE(state.remove_waiter(kept));
  REQUIRE_FALSE(state.add_waiter(late));
  REQUIRE(late.notified == 0);
}
