// SPDX-License-Identifier: Apache-2.0
// What may be mapped over what, and that every element is called once and has its result in its place.
#include <corolith/run/executor.hpp>

#include <corolith/coro/generator.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include "support.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <sstream>

using namespace run_test;

namespace {

int square(int x) { return x * x; }
int square_late(int x, int slowest) {
  std::this_thread::sleep_for(std::chrono::milliseconds(slowest - x));
  return x * x;
}
int add(int a, int b) { return a + b; }
int add_three(int a, int b, int c) { return a + b + c; }
int sum(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); }
int plus_default(int x, int y = 10) { return x + y; }
int noted(int x, const std::string& file) {
  note(file);
  return x;
}
pid_t own_pid(int) { return ::getpid(); }
int length(const std::string& text) { return static_cast<int>(text.size()); }
int flip(bool given) { return given ? 0 : 1; }

std::vector<int> squares(int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) all.push_back(i * i);
  return all;
}

generator<int> count_to(int end) {
  for (int i = 0; i < end; ++i) {
    if (i % 10 == 3) co_await sleep_for(1ms);
    co_yield i;
  }
}

}  // namespace

TEST_CASE("the results of a map are in the order of its elements", "[run]") {
  cluster local;
  std::vector<int> elements(40);
  std::iota(elements.begin(), elements.end(), 0);
  CHECK(local->map<square_late>(elements, 40).get() == squares(40));
}

TEST_CASE("one worker does a whole map", "[run]") {
  cluster local(options{.slots = 1});
  const std::vector<pid_t> pids = local->map<own_pid>(std::views::iota(0, 50)).get();
  CHECK(pids.size() == 50);
  CHECK(std::set(pids.begin(), pids.end()).size() == 1);
}

TEST_CASE("more slots mean more workers at the same time", "[run]") {
  cluster local(options{.slots = 3});
  // Each call waits for the two others.
  const scratch folder;
  const auto meet = [](int, const std::string& file) {
    note(file);
    wait_until([&] { return notes(file) == 3; });
    return ::getpid();
  };
  const std::vector<pid_t> pids = local->map(meet, std::vector{1, 2, 3}, folder / "here").get();
  CHECK(std::set(pids.begin(), pids.end()).size() == 3);
}

TEST_CASE("all kinds of ranges can be mapped over", "[run]") {
  cluster local;
  const executor& ex = *local;
  SECTION("containers") {
    CHECK(ex.map<square>(std::vector{0, 1, 2}).get() == squares(3));
    CHECK(ex.map<square>(std::array{0, 1, 2}).get() == squares(3));
    CHECK(ex.map<square>(std::list{0, 1, 2}).get() == squares(3));
    CHECK(ex.map<square>(std::deque{0, 1, 2}).get() == squares(3));
    const int plain[] = {0, 1, 2};
    CHECK(ex.map<square>(plain).get() == squares(3));
    CHECK(ex.map<square>(std::span(plain)).get() == squares(3));
    CHECK(ex.map<flip>(std::vector<bool>{true, false, true}).get() == std::vector{0, 1, 0});
  }
  SECTION("sets and maps, in their order") {
    CHECK(ex.map<square>(std::set{2, 1, 0}).get() == squares(3));
    CHECK(ex.map<length>(std::set<std::string>{"ccc", "", "b"}).get() == std::vector{0, 1, 3});
    const auto join = [](const std::string& key, int value) { return key + std::to_string(value); };
    CHECK(ex.map(join, std::map<std::string, int>{{"b", 2}, {"a", 1}}).get() == std::vector<std::string>{"a1", "b2"});
  }
  SECTION("views") {
    const std::vector all{0, 5, 1, 6, 2};
    CHECK(ex.map<square>(std::views::iota(0, 30)).get() == squares(30));
    CHECK(ex.map<square>(all | std::views::filter([](int x) { return x < 5; })).get() == squares(3));
    CHECK(
        ex.map<square>(std::views::iota(-2, 1) | std::views::transform([](int x) { return -x; }) | std::views::reverse)
            .get() == squares(3));
  }
  SECTION("ranges that can be read once") {
    std::istringstream text("0 1 2 3");
    CHECK(ex.map<square>(std::views::istream<int>(text)).get() == squares(4));
  }
  SECTION("async generators") { CHECK(ex.map<square>(count_to(30)).get() == squares(30)); }
  SECTION("nothing") {
    CHECK(ex.map<square>(std::vector<int>()).get().empty());
    CHECK(ex.map<square>(std::views::iota(0, 0)).get().empty());
    CHECK(ex.map<square>(count_to(0)).get().empty());
  }
}

TEST_CASE("elements become arguments in the way that fits the function", "[run]") {
  cluster local;
  SECTION("tuples are spread") {
    CHECK(local->map<add>(std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}).get() == std::vector{3, 7});
    CHECK(local->map<add_three>(std::vector<std::tuple<int, int, int>>{{1, 2, 3}, {4, 5, 6}}).get() ==
          std::vector{6, 15});
    CHECK(local->map<add_three>(std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}, 100).get() == std::vector{103, 107});
  }
  SECTION("a tuple that the function wants stays whole") {
    const auto second = [](std::pair<int, int> both) { return both.second; };
    CHECK(local->map(second, std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}).get() == std::vector{2, 4});
  }
  SECTION("a vector is one argument") {
    CHECK(local->map<sum>(std::vector<std::vector<int>>{{1, 2}, {}, {3}}).get() == std::vector{3, 0, 3});
  }
  SECTION("default arguments, through a lambda") {
    CHECK(local->map([](int x) { return plus_default(x); }, std::vector{1, 2}).get() == std::vector{11, 12});
    CHECK(local->map<plus_default>(std::vector{1, 2}, 5).get() == std::vector{6, 7});
  }
  SECTION("shared arguments follow") {
    CHECK(local->map<add_three>(std::vector{1, 2}, 10, 100).get() == std::vector{111, 112});
  }
  SECTION("they are converted") {
    const auto half = [](double x) { return x / 2; };
    CHECK(local->map(half, std::vector{1, 2}).get() == std::vector{0.5, 1.0});
    CHECK(local->map<length>(std::vector{"ab", "c"}).get() == std::vector{2, 1});
  }
}

TEST_CASE("two maps in flight, collected together or apart, run each call once", "[run]") {
  cluster local;
  const scratch folder;
  std::vector<int> elements(30);
  std::iota(elements.begin(), elements.end(), 0);
  batch<int> first = local->map<noted>(elements, folder / "first");
  batch<int> second = local->map<noted>(std::views::iota(100, 120), folder / "second");
  CHECK(first.id() != second.id());
  std::vector<int> those(20);
  std::iota(those.begin(), those.end(), 100);
  SECTION("together") {
    const auto both = [](batch<int> one, batch<int> other) -> task<std::pair<std::vector<int>, std::vector<int>>> {
      auto collect = [](batch<int> each) -> task<std::vector<int>> { co_return co_await each; };
      auto [a, b] = co_await when_all(collect(std::move(one)), collect(std::move(other)));
      co_return std::pair(std::move(a), std::move(b));
    };
    const auto [a, b] = sync_wait(both(std::move(first), std::move(second)));
    CHECK(a == elements);
    CHECK(b == those);
  }
  SECTION("apart, the later one first") {
    CHECK(second.get() == those);
    CHECK(first.get() == elements);
  }
  CHECK(notes(folder / "first") == 30);
  CHECK(notes(folder / "second") == 20);
}

TEST_CASE("a map of calls without results", "[run]") {
  cluster local;
  const scratch folder;
  const auto leave = [](int, const std::string& file) { note(file); };
  local->map(leave, std::vector{1, 2, 3}, folder / "here").get();
  CHECK(notes(folder / "here") == 3);
}

TEST_CASE("function objects take their state with them", "[run]") {
  cluster local;
  struct line {
    int slope, offset;
    int operator()(int x) const { return slope * x + offset; }
  };
  CHECK(local->map(line{2, 1}, std::vector{0, 1, 2}).get() == std::vector{1, 3, 5});
  CHECK(local->map(codec::bind<add>(100), std::vector{1, 2}).get() == std::vector{101, 102});
}
