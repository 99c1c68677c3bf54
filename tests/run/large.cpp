// SPDX-License-Identifier: Apache-2.0
// Much data in one call, and many calls with little.
#include <corolith/run/executor.hpp>

#include "support.hpp"

#include <numeric>
#include <ranges>

using namespace run_test;

namespace {

using words = std::vector<std::uint64_t>;

// Every MiB differs from the others, and from word to word.
constexpr std::size_t block_words = (std::size_t{1} << 20) / 8;
words pattern(std::size_t bytes) {
  words block(block_words), all;
  std::uint64_t state = 1;
  for (std::uint64_t& word : block) word = state = state * 6364136223846793005u + 1442695040888963407u;
  all.reserve(bytes / 8);
  while (all.size() < bytes / 8) {
    block[0] = all.size();
    all.insert(all.end(), block.begin(), block.end());
  }
  return all;
}
// Changes each MiB.
words flipped(words all) {
  for (std::size_t at = 0; at < all.size(); at += block_words) all[at] = ~all[at];
  return all;
}
std::uint64_t sum(const words& all) {
  std::uint64_t total = 0;
  for (std::size_t at = 0; at < all.size(); at += 509) total += all[at];
  return total;
}
std::uint64_t entry(std::size_t at, const words& table) { return table.at(at); }
int next(int x) { return x + 1; }

}  // namespace

TEST_CASE("an argument and a result of 256 MiB", "[run]") {
  const std::size_t bytes = std::size_t{sanitized ? 64 : 256} << 20;
  cluster local(options{.slots = 1});
  const words sent = pattern(bytes);
  words back = local->call<flipped>(sent).get();
  REQUIRE(back.size() == sent.size());
  CHECK((flipped(std::move(back)) == sent));
}

TEST_CASE("large arguments do not hold up small calls", "[run]") {
  cluster local(options{.slots = 2});
  const words sent = pattern(std::size_t{64} << 20);
  std::vector<future<std::uint64_t>> large;
  for (int i = 0; i < 2; ++i) large.push_back(local->call<sum>(sent));
  CHECK(local->map<next>(std::views::iota(0, 100)).get().back() == 100);
  for (auto& each : large) CHECK(each.get() == sum(sent));
}

TEST_CASE("a large shared argument serves a whole map", "[run]") {
  cluster local;
  const words table = pattern(std::size_t{16} << 20);
  const auto picked = local->map<entry>(std::views::iota(std::size_t{0}, std::size_t{500}), table).get();
  CHECK(picked == std::vector(table.begin(), table.begin() + 500));
}

TEST_CASE("a hundred thousand tiny calls", "[run]") {
  const int count = sanitized ? 10'000 : 100'000;
  cluster local;
  std::vector<int> elements(static_cast<std::size_t>(count)), expected(elements.size());
  std::iota(elements.begin(), elements.end(), 0);
  std::iota(expected.begin(), expected.end(), 1);
  CHECK((local->map<next>(elements).get() == expected));
}

TEST_CASE("thousands of single calls in flight", "[run]") {
  const int count = sanitized ? 1'000 : 5'000;
  cluster local;
  std::vector<future<int>> all;
  for (int i = 0; i < count; ++i) all.push_back(local->call<next>(i));
  int wrong = 0;
  for (int i = 0; i < count; ++i) wrong += all[static_cast<std::size_t>(i)].get() != i + 1;
  CHECK(wrong == 0);
}
