// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/batch.hpp>

#include <corolith/coro/this_task.hpp>
#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <numeric>
#include <ranges>
#include <set>

using namespace run_test;

namespace {

int square(int x) { return x * x; }
int odd_only(int x) {
  if (x % 2 == 0) throw std::invalid_argument(std::to_string(x) + " is even");
  return x;
}
// The higher of two numbers ends first, without a clock.
int last_one_first(int x, const std::string& file) {
  if (x == 0) wait_until([&] { return notes(file) == 3; });
  note(file);
  return x;
}
// Ends when it is asked to.
int until_stopped(int x, const std::string& file) {
  note(file);
  while (!this_call().stop_token().stop_requested()) std::this_thread::sleep_for(1ms);
  throw cancelled();
  return x;
}

task<std::vector<std::uint32_t>> order_of(batch<int> all) {
  std::vector<std::uint32_t> order;
  while (auto done = co_await all.next()) {
    CHECK(done->value == static_cast<int>(done->index));
    CHECK(done->stats.pid > 0);
    order.push_back(done->index);
  }
  co_return order;
}

}  // namespace

TEST_CASE("next gives results in the order in which the calls end", "[run]") {
  cluster local;
  const scratch folder;
  const std::vector<std::uint32_t> order =
      sync_wait(order_of(local->map<last_one_first>(std::views::iota(0, 4), folder / "done")));
  REQUIRE(order.size() == 4);
  CHECK(order.back() == 0);
  CHECK(std::set(order.begin(), order.end()).size() == 4);
}

TEST_CASE("next throws for a call that failed, and goes on behind it", "[run]") {
  cluster local;
  const auto count = [](batch<int> all) -> task<std::pair<int, int>> {
    int good = 0, bad = 0;
    for (bool more = true; more;) {
      try {
        const auto done = co_await all.next();
        more = done.has_value();
        if (more) good += done->value;
      } catch (const remote_error& e) {
        CHECK(e.message() == std::to_string(e.origin().index) + " is even");
        ++bad;
      }
    }
    CHECK_FALSE(co_await all.next());  // the end stays the end
    co_return std::pair(good, bad);
  };
  CHECK(sync_wait(count(local->map<odd_only>(std::vector{0, 1, 2, 3, 4, 5}))) == std::pair(9, 3));
  CHECK(sync_wait(count(local->map<odd_only>(std::vector<int>()))) == std::pair(0, 0));
}

TEST_CASE("the error of one call is the error of its batch, at once, and the others are cancelled", "[run]") {
  cluster local(options{.slots = 2, .grace = 20ms});
  const scratch folder;
  const auto fail_second = [](int x, const std::string& file) {
    note(file);
    if (x == 1) throw std::runtime_error("the second one");
    for (;;) std::this_thread::sleep_for(1h);
    return x;
  };
  batch<int> all = local->map(fail_second, std::views::iota(0, 1'000'000), folder / "calls");
  CHECK(thrown<remote_error>([&] { all.get(); }).message() == "the second one");
  CHECK(local->call<square>(3).get() == 9);
  CHECK(notes(folder / "calls") <= 3);  // one may have taken the place of the one that failed
}

TEST_CASE("as_result gives a value or an error for each element", "[run]") {
  cluster local;
  const std::vector elements{1, 2, 3, 4};
  batch<int> kept = local->map<odd_only>(elements);
  for (bool keep : {true, false}) {
    auto all = keep ? sync_wait(as_result(kept)) : sync_wait(as_result(local->map<odd_only>(elements)));
    REQUIRE(all.size() == 4);
    CHECK(all[0].value() == 1);
    CHECK_THROWS_AS(all[1].value(), remote_error);
    CHECK(all[2].value() == 3);
    CHECK_FALSE(all[3].has_value());
  }
}

TEST_CASE("a batch keeps the stats of its calls when it is asked to", "[run]") {
  cluster local;
  batch<int> with = local->map<square>(std::views::iota(0, 20)).keep_stats();
  with.get();
  const std::vector<call_stats> stats = with.stats();
  REQUIRE(stats.size() == 20);
  for (const call_stats& each : stats) {
    CHECK(each.attempt == 1);
    CHECK(each.pid > 0);
    CHECK(each.started <= each.ended);
  }
  batch<int> without = local->map<square>(std::views::iota(0, 20));
  without.get();
  CHECK(without.stats().empty());
  CHECK(without.done_count() == 20);
}

TEST_CASE("a batch can be cancelled, whole or call by call", "[run]") {
  cluster local(options{.slots = 2});
  const scratch folder;
  batch<int> all = local->map<until_stopped>(std::views::iota(0, 6), folder / "running");
  wait_until([&] { return notes(folder / "running") == 2; });
  const auto outcomes = [&] { return sync_wait(as_result(all)); };
  SECTION("whole") {
    all.cancel();
    for (const result<int>& each : outcomes()) CHECK_THROWS_AS(each.value(), cancelled);
    CHECK(notes(folder / "running") == 2);  // what had not started never did
  }
  SECTION("call by call") {
    for (std::uint32_t index = 6; index-- > 0;) all.cancel(index);
    CHECK(outcomes().size() == 6);
  }
  SECTION("through the executor") {
    local->cancel_all();
    for (const result<int>& each : outcomes()) CHECK_THROWS_AS(each.value(), cancelled);
  }
  CHECK(local->call<square>(3).get() == 9);
}

TEST_CASE("letting go of a batch cancels it", "[run]") {
  cluster local(options{.slots = 2});
  const scratch folder;
  {
    batch<int> all = local->map<until_stopped>(std::views::iota(0, 100), folder / "running");
    wait_until([&] { return notes(folder / "running") == 2; });
  }
  CHECK(local->call<square>(3).get() == 9);  // a slot is free again
  CHECK(notes(folder / "running") == 2);
  // Assigning does the same to what was there.
  batch<int> reused = local->map<until_stopped>(std::views::iota(0, 100), folder / "again");
  wait_until([&] { return notes(folder / "again") == 2; });
  reused = local->map<square>(std::vector{1, 2});
  CHECK(reused.get() == std::vector{1, 4});
}

TEST_CASE("a stop request cancels the batch that is awaited", "[run]") {
  cluster local;
  const scratch folder;
  std::stop_source stop;
  std::thread stopper([&] {
    wait_until([&] { return notes(folder / "running") != 0; });
    stop.request_stop();
  });
  const auto collect = [](batch<int> all) -> task<std::vector<int>> { co_return co_await all; };
  CHECK_THROWS_AS(
      sync_wait(collect(local->map<until_stopped>(std::views::iota(0, 10), folder / "running")), stop.get_token()),
      cancelled);
  stopper.join();
  CHECK(local->call<square>(3).get() == 9);
}

TEST_CASE("a batch that is not there says so", "[run]") {
  batch<int> none;
  CHECK_FALSE(none.valid());
  none.cancel();
  CHECK(thrown<error>([&] { none.get(); }).code() == errc::misuse);
  CHECK(thrown<error>([&] { static_cast<void>(none.id()); }).code() == errc::misuse);
}
