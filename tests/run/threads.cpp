// SPDX-License-Identifier: Apache-2.0
// isolation = thread: what users see of it.
#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <atomic>
#include <cstdlib>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace run_test;

namespace {

options threads(std::uint32_t slots) { return options{.slots = slots, .isolation = isolation_mode::thread}; }

int square(int x) { return x * x; }
int sum(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); }
int own_pid(int) { return ::getpid(); }

// Counts how often it was decoded in this process.
struct table {
  std::vector<int> values;
  static inline std::atomic<int> decoded{0};

  template <class Archive>
  void save(Archive& archive) const {
    archive(values);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(values);
    ++decoded;
  }
};
std::vector<long> look_up(std::size_t i, const table& in) {
  std::this_thread::sleep_for(2ms);
  return {::getpid(), in.values.at(i), table::decoded.load()};
}

std::vector<std::uint64_t> own_id(int) {
  std::this_thread::sleep_for(1ms);
  const call_context call = this_call();
  return {call.id().batch, call.id().index, call.attempt()};
}
int blocking_sum(int count) { return sum(this_call().executor().map<square>(std::views::iota(0, count)).get()); }
task<int> fibonacci(int n) {
  if (n < 2) co_return n;
  const executor ex = this_call().executor();
  future<int> a = ex.call<fibonacci>(n - 1);
  future<int> b = ex.call<fibonacci>(n - 2);
  co_return co_await a + co_await b;
}

std::string from_another_thread(int) {
  const call_context mine = this_call();
  std::string said;
  std::thread other([&] {
    try {
      static_cast<void>(this_call());
    } catch (const error& refusal) {
      said = refusal.what();
    }
    try {
      mine.executor().call<square>(2).get();
    } catch (const error& refusal) {
      said += std::string("\n") + refusal.what();
    }
    if (mine.stop_token().stop_requested()) said = "stopped";
  });
  other.join();
  return said;
}

int crash_on(int x, int bad) {
  if (x == bad) std::abort();
  std::this_thread::sleep_for(2ms);
  return x;
}
void never_end(const std::string& file) {
  note(file);
  for (;;) std::this_thread::sleep_for(5ms);
}
int slow(const std::string& file, int x) {
  note(file);
  std::this_thread::sleep_for(50ms);
  return x;
}
void until_stopped(const std::string& file) {
  note(file);
  while (!this_call().stop_token().stop_requested()) std::this_thread::sleep_for(1ms);
}
std::string long_text(int x) { return std::string(300'000, static_cast<char>('a' + x % 26)); }

}  // namespace

TEST_CASE("threads: a map runs in one process for each agent", "[run]") {
  cluster local(threads(3));
  const std::vector<int> squares = local->map<square>(std::views::iota(0, 20'000)).get();
  REQUIRE(squares.size() == 20'000);
  for (int i = 0; i < 20'000; ++i) REQUIRE(squares[static_cast<std::size_t>(i)] == i * i);
  const std::vector<int> pids = local->map<own_pid>(std::views::iota(0, 300)).get();
  CHECK(std::set<int>(pids.begin(), pids.end()).size() == 1);
  CHECK(started_processes("--corolith-worker").size() == 1);
}

TEST_CASE("threads: shared arguments are decoded once a process", "[run]") {
  cluster local(threads(4));
  table shared;
  shared.values.resize(100);
  std::iota(shared.values.begin(), shared.values.end(), 7);
  const auto all = local->map<look_up>(std::views::iota(std::size_t{0}, std::size_t{100}), shared).get();
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(all[i][0] == all[0][0]);
    CHECK(all[i][1] == static_cast<long>(i) + 7);
    CHECK(all[i][2] == 1);
  }
}

TEST_CASE("threads: each call knows which one it is", "[run]") {
  cluster local(threads(4));
  const auto ids = local->map<own_id>(std::views::iota(0, 200)).get();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i][0] == ids[0][0]);
    CHECK(ids[i][1] == i);
  }
}

TEST_CASE("threads: calls may make calls, even on one slot", "[run]") {
  cluster local(threads(GENERATE(1U, 2U)));
  CHECK(local->call<blocking_sum>(20).get() == 2470);
  CHECK(local->map<blocking_sum>(std::views::iota(0, 5)).get() == std::vector{0, 0, 1, 5, 14});
  CHECK(local->call<fibonacci>(6).get() == 8);
  CHECK(started_processes("--corolith-worker").size() == 1);
}

TEST_CASE("threads: a thread that a call starts is told what it cannot ask for", "[run]") {
  cluster local(threads(2));
  const std::string said = local->call<from_another_thread>(1).get();
  CHECK(contains(said, "hand its value to other threads"));
  CHECK(contains(said, "calls can be made only on the thread that runs the call"));
}

TEST_CASE("threads: a call that crashes fails, and costs the others nothing", "[run]") {
  cluster local(threads(3));
  const std::vector<result<int>> all = sync_wait(as_result(local->map<crash_on>(std::views::iota(0, 30), 11)));
  REQUIRE(all.size() == 30);
  for (int i = 0; i < 30; ++i) {
    if (i == 11)
      CHECK_THROWS_AS(all[11].value(), worker_lost);
    else
      CHECK(all[static_cast<std::size_t>(i)].value() == i);
  }
}

TEST_CASE("threads: a cancelled call that goes on does not end those beside it", "[run]") {
  cluster local(threads(3));
  const scratch folder;
  future<void> stuck = local->call<never_end>(folder / "stuck");
  future<int> beside = local->call<slow>(folder / "beside", 5);
  wait_until([&] { return notes(folder / "stuck") == 1; });
  stuck.cancel();
  CHECK_THROWS_AS(stuck.get(), cancelled);
  CHECK(beside.get() == 5);
  std::vector<future<int>> more;
  for (int i = 0; i < 20; ++i) more.push_back(local->call<slow>(folder / "beside", i));
  for (int i = 0; i < 20; ++i) CHECK(more[static_cast<std::size_t>(i)].get() == i);
}

TEST_CASE("threads: the stop token of one call is not that of another", "[run]") {
  cluster local(threads(2));
  const scratch folder;
  future<void> one = local->call<until_stopped>(folder / "one");
  future<void> two = local->call<until_stopped>(folder / "two");
  wait_until([&] { return notes(folder / "one") == 1 && notes(folder / "two") == 1; });
  one.cancel();
  one.get();  // it ends as a function does that returns
  CHECK((two.state() == call_state::running || two.state() == call_state::pending));
  two.cancel();
  two.get();
  CHECK(started_processes("--corolith-worker").size() == 1);
}

TEST_CASE("threads: large values go through the store", "[run]") {
  options settings = threads(3);
  settings.store_threshold = 100'000;
  cluster local(settings);
  const std::vector<std::string> texts = local->map<long_text>(std::views::iota(0, 12)).get();
  for (int i = 0; i < 12; ++i) CHECK(texts[static_cast<std::size_t>(i)] == long_text(i));
}
