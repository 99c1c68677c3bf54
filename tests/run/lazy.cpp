// SPDX-License-Identifier: Apache-2.0
// Ranges that are computed while the batch runs.
#include <corolith/run/executor.hpp>

#include <corolith/coro/generator.hpp>
#include <corolith/coro/this_task.hpp>

#include "support.hpp"

#include <atomic>
#include <fstream>
#include <memory>
#include <ranges>
#include <stdexcept>

using namespace run_test;

namespace {

int square(int x) { return x * x; }

// Elements of a size that matters: `text` is there so that the whole input would not fit into the bound below.
constexpr std::size_t element_bytes = 256;
std::string make_element(int i) {
  std::string text(element_bytes, 'e');
  text.replace(0, 8, std::to_string(10'000'000 + i));
  return text;
}
int check_element(const std::string& text) {
  return text.size() == element_bytes ? std::stoi(text.substr(0, 8)) - 10'000'000 : -1;
}

// VmHWM of this process, after a reset: the most that was resident since.
std::size_t peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      std::size_t kib = 0;
      status >> kib;
      return kib >> 10;
    }
  throw std::runtime_error("no VmHWM in /proc/self/status");
}
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

task<std::pair<long, long>> add_up(batch<int> all) {
  long count = 0, sum = 0;
  while (auto done = co_await all.next()) {
    ++count;
    sum += done->value;
    if (done->value != static_cast<int>(done->index)) throw std::runtime_error("a result in the wrong place");
  }
  co_return std::pair(count, sum);
}

generator<int> endless(std::shared_ptr<std::atomic<int>> given) {
  for (int i = 0;; ++i) {
    ++*given;
    co_yield i;
  }
}
generator<int> breaks_at(int end) {
  for (int i = 0; i < end; ++i) co_yield i;
  co_await sleep_for(1ms);
  throw std::runtime_error("the generator broke");
}

}  // namespace

TEST_CASE("a map over a million lazy elements uses bounded memory", "[run]") {
  const int count = sanitized ? 20'000 : 1'000'000;
  cluster local;
  local->call<square>(1).get();
  reset_peak();
  const std::size_t before = peak_mib();
  const auto [done, sum] =
      sync_wait(add_up(local->map<check_element>(std::views::iota(0, count) | std::views::transform(make_element))));
  const std::size_t peak = peak_mib();
  WARN(count << " elements, " << ((element_bytes * static_cast<std::size_t>(count)) >> 20)
             << " MiB in all: peak RSS of the driver " << peak << " MiB, before it " << before << " MiB");
  CHECK(done == count);
  CHECK(sum == static_cast<long>(count) * (count - 1) / 2);
  if (!sanitized) CHECK(peak < 100);
}

TEST_CASE("an input is not pulled faster than its results are taken", "[run]") {
  cluster local;
  const auto given = std::make_shared<std::atomic<int>>(0);
  batch<int> all = local->map<square>(endless(given));
  wait_until([&] { return all.done_count() > 100; });
  // All that may be in the air is in the air when the count stands still.
  int last = -1;
  wait_until([&] {
    std::this_thread::sleep_for(50ms);
    return std::exchange(last, given->load()) == given->load();
  });
  CHECK(given->load() < 100'000);
  const auto take_one = [&]() -> task<int> { co_return (co_await all.next())->value; };
  const int stood_at = given->load();
  for (int i = 0; i < 4000; ++i) sync_wait(take_one());
  wait_until([&] { return given->load() > stood_at; });
}

TEST_CASE("an endless input ends with its batch", "[run]") {
  cluster local;
  const auto given = std::make_shared<std::atomic<int>>(0);
  SECTION("dropped") {
    batch<int> all = local->map<square>(endless(given));
    wait_until([&] { return all.done_count() > 10; });
  }
  SECTION("cancelled") {
    batch<int> all = local->map<square>(endless(given));
    wait_until([&] { return all.done_count() > 10; });
    all.cancel();
    CHECK_THROWS_AS(all.get(), cancelled);
  }
  SECTION("its executor closed") {
    batch<int> all = local->map<square>(endless(given));
    wait_until([&] { return all.done_count() > 10; });
    local->close();
    CHECK(thrown<error>([&] { all.get(); }).code() == errc::closed);
  }
  // The generator is destroyed, and with it its reference.
  wait_until([&] { return given.use_count() == 1; });
}

TEST_CASE("what an input throws ends its batch", "[run]") {
  cluster local;
  const auto broken = [](int i) {
    if (i == 20) throw std::runtime_error("the range broke");
    return i;
  };
  SECTION("a range") {
    batch<int> all = local->map<square>(std::views::iota(0, 1000) | std::views::transform(broken));
    CHECK(thrown<std::runtime_error>([&] { all.get(); }).what() == std::string("the range broke"));
  }
  SECTION("a generator") {
    batch<int> all = local->map<square>(breaks_at(20));
    CHECK(thrown<std::runtime_error>([&] { all.get(); }).what() == std::string("the generator broke"));
  }
  SECTION("at its very beginning") {
    batch<int> all = local->map<square>(breaks_at(0));
    CHECK(thrown<std::runtime_error>([&] { all.get(); }).what() == std::string("the generator broke"));
  }
  SECTION("a range of values that are there already, which the caller's thread reads") {
    const auto map_it = [&] { return local->map<square>(std::views::iota(0, 1000) | std::views::transform(broken)); };
    batch<int> all = map_it();
    CHECK_THROWS_AS(sync_wait(as_result(all)), std::runtime_error);
  }
  CHECK(local->call<square>(5).get() == 25);
}

TEST_CASE("an input that waits is stopped with its batch", "[run]") {
  cluster local;
  const auto held = std::make_shared<int>(0);
  const auto waits = [](std::shared_ptr<int> reference) -> generator<int> {
    for (;;) {
      co_yield *reference;
      co_await sleep_for(1h);
    }
  };
  batch<int> all = local->map<square>(waits(held));
  wait_until([&] { return all.done_count() == 1; });
  SECTION("dropped") { all = {}; }
  SECTION("cancelled") {
    all.cancel();
    CHECK_THROWS_AS(all.get(), cancelled);
  }
  SECTION("cancelled through the executor") {
    local->cancel_all();
    const auto outcomes = sync_wait(as_result(all));
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].value() == 0);
  }
  SECTION("its executor closed") { local->close(); }
  wait_until([&] { return held.use_count() == 1; });
}

TEST_CASE("elements do not wait for others that take their time", "[run]") {
  cluster local;
  const scratch folder;
  const std::string file = folder / "first";
  const auto leave = [](const std::string& where) { note(where); };
  // Each gives its second element only when the call of the first one has run.
  SECTION("in a generator") {
    const auto dependent = [](std::string where) -> generator<std::string> {
      co_yield where;
      while (notes(where) == 0) co_await sleep_for(1ms);
      co_yield where;
    };
    local->map(leave, dependent(file)).get();
    CHECK(notes(file) == 2);
  }
  SECTION("in a range") {
    const auto dependent = [&](int i) {
      if (i == 1) std::this_thread::sleep_for(5ms);
      if (i == 2) wait_until([&] { return notes(file) != 0; });
      return file;
    };
    local->map(leave, std::views::iota(0, 3) | std::views::transform(dependent)).get();
    CHECK(notes(file) == 3);
  }
}
