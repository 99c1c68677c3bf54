// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/executor.hpp>

#include <corolith/coro/generator.hpp>

#include "support.hpp"

#include <fstream>
#include <numeric>
#include <ranges>
#include <sstream>

using namespace run_test;

namespace {

int square(int x) { return x * x; }
int scaled(int x, int by) { return x * by; }
int sum(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); }
double mean(std::vector<int> all) {
  return all.empty() ? -1 : static_cast<double>(sum(all)) / static_cast<double>(all.size());
}
std::string in_order(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& each : parts) text += each + " ";
  return text;
}
int count_words(const std::string& path) {
  std::istringstream text(read_file(path));
  return static_cast<int>(std::distance(std::istream_iterator<std::string>(text), {}));
}
int picky(int x) {
  if (x == 7) throw std::invalid_argument("not seven");
  return x;
}
int refuses(const std::vector<int>&) { throw std::length_error("no reduction today"); }

}  // namespace

TEST_CASE("a map's results are reduced to one value", "[run]") {
  cluster local;
  CHECK(local->map_reduce<square, sum>(std::vector{1, 2, 3}).get() == 14);
  CHECK(local->map_reduce<square, mean>(std::views::iota(0, 4)).get() == 3.5);
  CHECK(local->map_reduce<scaled, sum>(std::vector{1, 2, 3}, 10).get() == 60);
  CHECK(local->map_reduce([](int x) { return std::to_string(x); }, codec::fixed<in_order>{}, std::views::iota(0, 6))
            .get() == "0 1 2 3 4 5 ");
  CHECK(local->map_reduce<square, mean>(std::vector<int>()).get() == -1);
}

TEST_CASE("one reducer runs, remotely, and once all calls have ended", "[run]") {
  cluster local;
  const scratch folder;
  struct noting_sum {
    std::string file;
    std::size_t operator()(const std::vector<int>& all) const {
      note(file);
      return all.size() * 1000 + notes(file + ".calls");
    }
  };
  const auto noting_call = [](int x, const std::string& file) {
    note(file);
    return x;
  };
  CHECK(local->map_reduce(noting_call, noting_sum{folder / "sums"}, std::views::iota(0, 50), folder / "sums.calls")
            .get() == 50'050);
  CHECK(notes(folder / "sums") == 1);
  CHECK(local->map_reduce(
                 codec::fixed<square>{}, [](std::vector<int>) { return ::getpid(); }, std::vector{1})
            .get() != ::getpid());
}

TEST_CASE("a map_reduce over files by their names", "[run]") {
  cluster local;
  const scratch folder;
  std::vector<std::string> keys;
  for (int i = 0; i < 10; ++i) {
    keys.push_back(folder / ("text-" + std::to_string(i)));
    std::ofstream file(keys.back());
    for (int word = 0; word < 3 * i; ++word) file << "word" << word << (word % 5 == 4 ? '\n' : ' ');
  }
  CHECK(local->map_reduce<count_words, sum>(keys).get() == 135);
}

TEST_CASE("an error in a map_reduce is the error of its future", "[run]") {
  cluster local;
  CHECK(thrown<remote_error>([&] { local->map_reduce<picky, sum>(std::views::iota(0, 20)).get(); }).message() ==
        "not seven");
  CHECK(thrown<remote_error>([&] { local->map_reduce<square, refuses>(std::vector{1}).get(); }).message() ==
        "no reduction today");
  CHECK(local->map_reduce<square, sum>(std::vector{2}).get() == 4);
}

TEST_CASE("a map_reduce can be cancelled", "[run]") {
  cluster local;
  const scratch folder;
  const auto hang = [](int, const std::string& file) {
    note(file);
    std::this_thread::sleep_for(1h);
    return 0;
  };
  future<int> later = local->map_reduce(hang, codec::fixed<sum>{}, std::views::iota(0, 10), folder / "running");
  wait_until([&] { return notes(folder / "running") == 2; });
  later.cancel();
  CHECK_THROWS_AS(later.get(), cancelled);
  CHECK(local->call<square>(2).get() == 4);
}
