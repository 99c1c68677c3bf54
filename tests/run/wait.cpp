// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/wait.hpp>

#include "support.hpp"

#include <ranges>
#include <thread>

using namespace run_test;

namespace {

using indices = std::vector<std::size_t>;

struct promised {
  explicit promised(std::size_t count) : promises(count) {
    for (auto& each : promises) futures.push_back(each.get_future());
  }
  std::vector<promise<int>> promises;
  std::vector<future<int>> futures;
};

int square(int x) { return x * x; }
int waits_for(int x, const std::string& file) {
  wait_until([&] { return notes(file) != 0; });
  return x;
}

}  // namespace

TEST_CASE("conditions ask for a number of futures", "[run]") {
  CHECK(when::all.count(7) == 7);
  CHECK(when::any.count(7) == 1);
  CHECK(when::all.count(0) == 0);
  CHECK(when::any.count(0) == 0);
  CHECK(when::fraction(0.2).count(9) == 2);
  CHECK(when::fraction(0.2).count(10) == 2);
  CHECK(when::fraction(0.5).count(3) == 2);
  CHECK(when::fraction(0).count(3) == 0);
  CHECK(when::fraction(1).count(3) == 3);
  CHECK(when::fraction(0.1).count(30) == 3);
  for (double part : {-0.1, 1.1, std::nan("")}) CHECK_THROWS_AS(when::fraction(part), error);
}

TEST_CASE("wait returns when enough futures are complete", "[run]") {
  promised some(4);
  some.promises[2].set_value(1);
  SECTION("any") {
    const wait_result now = sync_wait(wait(some.futures, when::any));
    CHECK(now.done == indices{2});
    CHECK(now.pending == indices{0, 1, 3});
  }
  SECTION("a part") {
    std::thread other(
        [&] { some.promises[0].set_exception(std::make_exception_ptr(std::runtime_error("an error counts"))); });
    CHECK(sync_wait(wait(some.futures, when::fraction(0.5))).done == indices{0, 2});
    other.join();
  }
  SECTION("all") {
    std::thread other([&] {
      for (std::size_t i : {3u, 1u, 0u}) some.promises[i].set_value(1);
    });
    const wait_result end = sync_wait(wait(some.futures));
    CHECK(end.done == indices{0, 1, 2, 3});
    CHECK(end.pending.empty());
    other.join();
    CHECK(some.futures[3].get() == 1);  // nothing was taken
  }
  SECTION("none: at once") { CHECK(sync_wait(wait(some.futures, when::fraction(0))).done == indices{2}); }
}

TEST_CASE("wait returns at its timeout with what is there", "[run]") {
  promised some(3);
  some.promises[1].set_value(1);
  const wait_result now = sync_wait(wait(some.futures, when::all, 10ms));
  CHECK(now.done == indices{1});
  CHECK(now.pending == indices{0, 2});
  // The futures can be waited for again.
  some.promises[0].set_value(1);
  some.promises[2].set_value(1);
  CHECK(sync_wait(wait(some.futures, when::all, 1h)).pending.empty());
}

TEST_CASE("wait over nothing returns at once", "[run]") {
  const std::vector<future<int>> none;
  CHECK(sync_wait(wait(none)).done.empty());
  CHECK(sync_wait(wait(none, when::any)).pending.empty());
}

TEST_CASE("a stop request ends a wait, and not the futures", "[run]") {
  promised some(3);
  std::stop_source stop;
  SECTION("before") { stop.request_stop(); }
  std::thread other([&] { stop.request_stop(); });
  CHECK_THROWS_AS(sync_wait(wait(some.futures), stop.get_token()), cancelled);
  other.join();
  some.promises[0].set_value(5);
  CHECK(some.futures[0].get() == 5);
}

TEST_CASE("waits that race with completions see each future once", "[run]") {
  for (int round = 0; round < (sanitized ? 50 : 300); ++round) {
    promised some(8);
    std::thread one([&] {
      for (std::size_t i = 0; i < 8; i += 2) some.promises[i].set_value(1);
    });
    std::thread other([&] {
      for (std::size_t i = 1; i < 8; i += 2) some.promises[i].set_value(1);
    });
    const auto condition = round % 3 == 0 ? when::any : round % 3 == 1 ? when::fraction(0.5) : when::all;
    const wait_result now = sync_wait(wait(some.futures, condition));
    CHECK(now.done.size() >= condition.count(8));
    CHECK(now.done.size() + now.pending.size() == 8);
    one.join();
    other.join();
  }
}

TEST_CASE("remote calls are waited for in the same way", "[run]") {
  cluster local(options{.slots = 2});
  const scratch folder;
  std::vector<future<int>> futures;
  futures.push_back(local->call<waits_for>(5, folder / "go"));
  futures.push_back(local->call<square>(3));
  const wait_result first = sync_wait(wait(futures, when::any));
  CHECK(first.done == indices{1});
  CHECK(sync_wait(wait(futures, when::all, 20ms)).pending == indices{0});
  note(folder / "go");
  CHECK(sync_wait(wait(futures)).pending.empty());
  CHECK(futures[0].get() == 5);
  CHECK(futures[1].get() == 9);
}
