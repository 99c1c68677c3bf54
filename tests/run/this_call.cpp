// SPDX-License-Identifier: Apache-2.0
// What a running call knows, and the calls that it makes.
#include <corolith/run/this_call.hpp>

#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include "support.hpp"

#include <numeric>
#include <ranges>
#include <stdexcept>

using namespace run_test;

namespace {

int square(int x) { return x * x; }
int sum(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); }
std::vector<std::uint64_t> own_id(int) {
  const call_context call = this_call();
  return {call.id().batch, call.id().index, call.attempt(), call.host().size()};
}

int blocking_sum(int count) { return sum(this_call().executor().map<square>(std::views::iota(0, count)).get()); }
task<int> awaited_sum(int count) {
  const executor ex = this_call().executor();
  const future<int> one = ex.call<square>(100);
  const std::vector<int> all = co_await ex.map<square>(std::views::iota(0, count));
  co_return co_await one + sum(all);
}
future<int> hand_on(int x) { return this_call().executor().call<square>(x); }
std::vector<future<int>> hand_on_many(int count) {
  std::vector<future<int>> all;
  for (int i = 0; i < count; ++i) all.push_back(this_call().executor().call<square>(i));
  return all;
}
batch<int> hand_on_batch(int count) { return this_call().executor().map<square>(std::views::iota(0, count)); }
future<int> hand_on_twice(int x) { return this_call().executor().call<hand_on>(x); }
future<int> reduced(int count) { return this_call().executor().map_reduce<square, sum>(std::views::iota(0, count)); }

task<int> fibonacci(int n) {
  if (n < 2) co_return n;
  const executor ex = this_call().executor();
  future<int> a = ex.call<fibonacci>(n - 1);
  future<int> b = ex.call<fibonacci>(n - 2);
  co_return co_await a + co_await b;
}
int depth(int left) { return left == 0 ? 0 : 1 + this_call().executor().call<depth>(left - 1).get(); }

int fails(int x) { throw std::out_of_range(std::to_string(x) + " is too much"); }
int passes_failure_on(int x) { return this_call().executor().call<fails>(x).get(); }
std::string reports_failure(int x) {
  try {
    return std::to_string(this_call().executor().call<fails>(x).get());
  } catch (const remote_error& e) {
    return e.type_name() + ": " + e.message();
  }
}

void until_stopped(const std::string& file) {
  note(file);
  while (!this_call().stop_token().stop_requested()) std::this_thread::sleep_for(1ms);
  note(file + ".stopped");
}
void waits_for(const std::string& file) {
  if (this_call().attempt() > 1) return;
  note(file + ".outer", std::to_string(::getpid()));
  this_call().executor().call<until_stopped>(file).get();
}
task<void> sleeps_until_stopped(std::string file) {
  note(file);
  co_await sleep_for(1h);
}

int start_and_leave(const std::string& file) {
  const auto unwaited = [](const std::string& where) { note(where); };
  static_cast<void>(this_call().executor().call(unwaited, file));
  return 1;
}

}  // namespace

TEST_CASE("a call knows which call it is", "[run]") {
  cluster local;
  batch<std::vector<std::uint64_t>> all = local->map<own_id>(std::views::iota(0, 5));
  const std::uint64_t id = all.id();
  const auto ids = all.get();
  REQUIRE(ids.size() == 5);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i][0] == id);
    CHECK(ids[i][1] == i);
    CHECK(ids[i][2] == 1);
    CHECK(ids[i][3] != 0);
  }
}

TEST_CASE("outside a call there is no this_call", "[run]") {
  CHECK(thrown<error>([] { this_call(); }).code() == errc::misuse);
}

TEST_CASE("a call may make calls, even on one slot", "[run]") {
  cluster local(options{.slots = 1});
  CHECK(local->call<blocking_sum>(20).get() == 2470);
  CHECK(local->call<awaited_sum>(20).get() == 12470);
  CHECK(local->map<blocking_sum>(std::views::iota(0, 5)).get() == std::vector{0, 0, 1, 5, 14});
  CHECK(local->call<fibonacci>(5).get() == 5);
  CHECK(local->call<depth>(12).get() == 12);
}

TEST_CASE("a call that returns futures gives what they will hold", "[run]") {
  cluster local(options{.slots = 1});
  CHECK(local->call<hand_on>(12).get() == 144);
  CHECK(local->call<hand_on_many>(4).get() == std::vector{0, 1, 4, 9});
  CHECK(local->call<hand_on_batch>(4).get() == std::vector{0, 1, 4, 9});
  CHECK(local->call<hand_on_twice>(3).get() == 9);
  CHECK(local->call<reduced>(4).get() == 14);
  CHECK(local->map<hand_on>(std::vector{1, 2, 3}).get() == std::vector{1, 4, 9});
  CHECK(local->map<hand_on_many>(std::vector{0, 1, 2}).get() == std::vector<std::vector<int>>{{}, {0}, {0, 1}});
}

TEST_CASE("the error of an inner call is an error of the outer one", "[run]") {
  cluster local(options{.slots = 1});
  CHECK(local->call<reports_failure>(9).get() == "std::out_of_range: 9 is too much");
  const auto failure = thrown<remote_error>([&] { local->call<passes_failure_on>(9).get(); });
  CHECK(contains(failure.message(), "9 is too much"));
}

TEST_CASE("inner calls are cancelled with the call that waits for them", "[run]") {
  cluster local(options{.slots = 2});
  const scratch folder;
  future<void> outer = local->call<waits_for>(folder / "inner");
  wait_until([&] { return notes(folder / "inner") == 1; });
  SECTION("when it is cancelled") {
    outer.cancel();
    CHECK_THROWS_AS(outer.get(), cancelled);
  }
  SECTION("when its worker is killed") {
    ::kill(static_cast<pid_t>(std::stol(read_file(folder / "inner.outer"))), SIGKILL);
    outer.get();
    CHECK(outer.stats().attempt == 2);
  }
  wait_until([&] { return notes(folder / "inner.stopped") == 1; });
}

TEST_CASE("a coroutine sees the stop token of its call", "[run]") {
  cluster local(options{.slots = 1});
  const scratch folder;
  const pid_t before = local->call([] { return ::getpid(); }).get();
  future<void> sleeper = local->call<sleeps_until_stopped>(folder / "here");
  wait_until([&] { return notes(folder / "here") == 1; });
  sleeper.cancel();
  CHECK_THROWS_AS(sleeper.get(), cancelled);
  CHECK(local->call([] { return ::getpid(); }).get() == before);  // it stopped by itself
}

TEST_CASE("a call may leave before the calls that it made", "[run]") {
  cluster local(options{.slots = 1});
  const scratch folder;
  for (int round = 1; round <= 5; ++round) {
    CHECK(local->call<start_and_leave>(folder / "left").get() == 1);
    CHECK(local->call<blocking_sum>(3).get() == 5);  // on the same worker, whose slot must be free for its calls
  }
  wait_until([&] { return notes(folder / "left") == 5; });
}
