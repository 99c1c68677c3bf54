// SPDX-License-Identifier: Apache-2.0
// Single calls: what may be called, with what, and what comes back.
#include <corolith/run/executor.hpp>

#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <tuple>

using namespace run_test;

namespace {

std::string greet(std::string name) { return "hello " + name; }
int add(int a, int b) { return a + b; }
double add(double a, double b) { return a + b; }
int power(int base, int exponent) {
  int value = 1;
  for (; exponent > 0; --exponent) value *= base;
  return value;
}
template <class T>
T twice(T value) {
  return value + value;
}

// Named arguments, as C++ has them.
struct integral {
  double from = 0;
  double to = 1;
  int steps = 100;
};
double width(integral over) { return (over.to - over.from) / over.steps; }

struct account {
  int balance = 0;
  int after(int payment) const { return balance + payment; }
};

std::size_t length(std::string_view text) { return text.size(); }
double total(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }
int unwrap(std::unique_ptr<int> value) { return value ? *value : -1; }
void nothing() {}
pid_t own_pid() { return ::getpid(); }

// Whatever is done to it is counted, but for moving and encoding it.
struct touchy {
  static inline int touched = 0;

  touchy() = default;
  explicit touchy(int v) : value(v) {}
  touchy(touchy&&) noexcept = default;
  touchy& operator=(touchy&&) noexcept = default;
  touchy(const touchy& other) : value(other.value) { ++touched; }
  touchy& operator=(const touchy& other) {
    ++touched;
    value = other.value;
    return *this;
  }
  ~touchy() = default;
  bool operator==(const touchy&) const {
    ++touched;
    return false;
  }
  bool operator<(const touchy&) const {
    ++touched;
    return false;
  }
  explicit operator bool() const {
    ++touched;
    return false;
  }
  touchy* operator&() {
    ++touched;
    return this;
  }
  template <class Archive>
  void save(Archive& archive) const {
    archive(value);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(value);
  }

  int value = 0;
};
std::pair<int, int> look(touchy mine) { return {mine.value, touchy::touched}; }
std::pair<int, int> look_beside(int, const touchy& shared) { return {shared.value, touchy::touched}; }
touchy give_touchy(int value) { return touchy(value); }

struct empty_struct {};

}  // namespace

TEST_CASE("a call returns what its function returns, from another process", "[run]") {
  cluster local;
  CHECK(local->call<greet>("world").get() == "hello world");
  CHECK(local->call<own_pid>().get() != ::getpid());
  local->call<nothing>().get();
}

TEST_CASE("many kinds of functions can be called", "[run]") {
  cluster local;
  CHECK(local->call<static_cast<int (*)(int, int)>(add)>(1, 2).get() == 3);
  CHECK(local->call<static_cast<double (*)(double, double)>(add)>(1, 2.5).get() == 3.5);
  CHECK(local->call<twice<std::string>>("ab").get() == "abab");
  CHECK(local->call<&account::after>(account{5}, 7).get() == 12);
  CHECK(local->call([](int x) { return x - 1; }, 3).get() == 2);
  CHECK(local->call([](int x) { return x + 1; }, 3).get() == 4);
  CHECK(local->call<[](int x) { return x * 3; }>(3).get() == 9);
  CHECK(local->call(codec::bind<power>(2), 10).get() == 1024);
  CHECK(local->call(codec::bind<power>(2, 4)).get() == 16);
}

TEST_CASE("many kinds of arguments can be given", "[run]") {
  cluster local;
  SECTION("one that is a vector") {
    const auto sum = [](const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); };
    CHECK(local->call(sum, std::vector<int>{1, 2, 3}).get() == 6);
  }
  SECTION("the elements of a tuple") {
    const std::tuple arguments(3, 4);
    auto later = std::apply([&](auto... each) { return local->call<power>(each...); }, arguments);
    CHECK(later.get() == 81);
  }
  SECTION("named ones, in a struct") { CHECK(local->call<width>(integral{.to = 8, .steps = 4}).get() == 2.0); }
  SECTION("views, of which the worker gets its own copy") {
    CHECK(local->call<length>("four").get() == 4);
    const std::array values{1.0, 2.0, 3.5};
    CHECK(local->call<total>(std::span(values)).get() == 6.5);
  }
  SECTION("one that can only be moved") {
    CHECK(local->call<unwrap>(std::make_unique<int>(5)).get() == 5);
    CHECK(local->call<unwrap>(nullptr).get() == -1);
  }
  SECTION("default ones, through a lambda") {
    const auto with_default = [](int exponent) { return power(10, exponent); };
    CHECK(local->call(with_default, 3).get() == 1000);
  }
}

TEST_CASE("an argument is moved and encoded, and nothing else is done to it", "[run]") {
  cluster local;
  touchy mine(7);
  CHECK(local->call<look>(mine).get() == std::pair(7, 0));
  CHECK(local->call<look>(touchy(8)).get() == std::pair(8, 0));
  CHECK(local->call<give_touchy>(3).get().value == 3);
  std::vector<touchy> many(3);
  many[2].value = 9;
  const std::vector<std::pair<int, int>> looks = local->map<look>(many).get();
  CHECK(looks == std::vector<std::pair<int, int>>{{0, 0}, {0, 0}, {9, 0}});
  CHECK(local->map<look_beside>(std::vector{1, 2}, mine).get() == std::vector<std::pair<int, int>>{{7, 0}, {7, 0}});
  CHECK(touchy::touched == 0);
}

TEST_CASE("results that are zero, false or empty arrive", "[run]") {
  cluster local;
  CHECK(local->call([] { return 0; }).get() == 0);
  CHECK(local->call([] { return 0.0; }).get() == 0.0);
  CHECK(local->call([] { return false; }).get() == false);
  CHECK(local->call([] { return std::string(); }).get().empty());
  CHECK(local->call([] { return std::vector<int>(); }).get().empty());
  CHECK(local->call([] { return std::optional<int>(); }).get() == std::nullopt);
  CHECK(local->call([] { return std::unique_ptr<int>(); }).get() == nullptr);
  CHECK(local->call([] { return std::tuple<>(); }).get() == std::tuple<>());
  local->call([] { return empty_struct(); }).get();
  CHECK(local->map([](int x) { return x > 1; }, std::vector{0, 1, 2}).get() == std::vector<bool>{false, false, true});
  CHECK(local->map([](int x) { return std::string(static_cast<std::size_t>(x), 'x'); }, std::vector{0, 1, 0}).get() ==
        std::vector<std::string>{"", "x", ""});
}

TEST_CASE("a future tells what its call went through", "[run]") {
  cluster local;
  const auto before = std::chrono::system_clock::now();
  future<pid_t> later = local->call<own_pid>();
  const pid_t pid = later.get();
  const auto after = std::chrono::system_clock::now();
  const call_stats& stats = later.stats();
  CHECK(stats.pid == pid);
  CHECK(stats.attempt == 1);
  CHECK_FALSE(stats.host.empty());
  CHECK(later.state() == call_state::done);
  CHECK(before <= stats.submitted);
  CHECK(stats.submitted <= stats.sent);
  CHECK(stats.sent <= stats.started);
  CHECK(stats.started <= stats.ended);
  CHECK(stats.ended <= stats.received);
  CHECK(stats.received <= after);
}

TEST_CASE("calls may be made from many threads at once", "[run]") {
  cluster local;
  std::vector<std::thread> threads;
  std::vector<int> sums(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const executor mine = *local;
      for (int i = 0; i < 25; ++i) sums[static_cast<std::size_t>(t)] += mine.call<power>(t, 2).get();
    });
  for (std::thread& each : threads) each.join();
  CHECK(sums == std::vector{0, 25, 100, 225});
}

TEST_CASE("calls see their environment variables, and the driver's directory", "[run]") {
  cluster local;
  const auto variable = [](std::string name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value != nullptr ? value : "unset");
  };
  const executor other = local->with({.env = {{"COROLITH_TEST_COLOUR", "green = good"}}});
  CHECK(other.call(variable, "COROLITH_TEST_COLOUR").get() == "green = good");
  CHECK(local->call(variable, "COROLITH_TEST_COLOUR").get() == "unset");
  CHECK(local->call([] { return std::filesystem::current_path().string(); }).get() ==
        std::filesystem::current_path().string());
}
