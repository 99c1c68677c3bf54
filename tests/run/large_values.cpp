// SPDX-License-Identifier: Apache-2.0
// Arguments and results that go through the store: the same values, and nothing of them is left.
#include <corolith/run/executor.hpp>
#include <corolith/run/this_call.hpp>
#include <corolith/storage/location.hpp>

#include "support.hpp"

#include <filesystem>
#include <numeric>
#include <ranges>
#include <set>

using namespace run_test;

namespace {

using words = std::vector<std::uint64_t>;

words make(std::uint64_t first, std::size_t count) {
  words all(count);
  std::iota(all.begin(), all.end(), first);
  return all;
}
std::uint64_t sum(const words& all) { return std::accumulate(all.begin(), all.end(), std::uint64_t{0}); }
words doubled(words all) {
  for (std::uint64_t& each : all) each *= 2;
  return all;
}
words made_there(std::uint64_t first) { return make(first, first % 2 == 0 ? 1000 : 10); }
std::uint64_t entry(std::size_t at, const words& table) { return table.at(at); }
words sums(const std::vector<words>& all) {
  words found;
  for (const words& each : all) found.push_back(sum(each));
  return found;
}
std::uint64_t fails_twice(const words& all, const std::string& file) {
  note(file);
  if (notes(file) < 3) throw std::runtime_error("not yet");
  return sum(all);
}
std::uint64_t dies_once(const words& all, const std::string& file) {
  note(file);
  if (notes(file) < 2) ::raise(SIGKILL);
  return sum(all);
}
task<words> nested(std::uint64_t first) {
  const executor ex = this_call().executor();
  const words sent = make(first, 2000);
  words back = co_await ex.call<doubled>(sent);
  co_return back;
}

/// An executor whose values of 1,000 bytes and more go through a directory that the test can see.
struct storing {
  explicit storing(std::uint64_t threshold = 1000) : local(settings(folder.path(), threshold)) {}
  static options settings(const std::string& where, std::uint64_t threshold) {
    options made;
    made.store = where;
    made.store_threshold = threshold;
    return made;
  }
  std::size_t files() const {
    std::size_t count = 0;
    std::error_code gone;
    for (auto it = std::filesystem::recursive_directory_iterator(folder.path(), gone);
         !gone && it != std::filesystem::recursive_directory_iterator(); it.increment(gone))
      count += it->is_regular_file(gone);
    return count;
  }

  scratch folder;
  cluster local;
};

}  // namespace

TEST_CASE("values through the store: single calls, maps, shared arguments, reducers", "[run]") {
  storing run;
  executor& ex = *run.local;
  const words sent = make(7, 5000);
  CHECK((ex.call<doubled>(sent).get() == doubled(sent)));
  std::vector<words> elements;
  for (std::uint64_t i = 0; i < 20; ++i)
    elements.push_back(make(i, i % 3 == 0 ? 3 : 400));  // small ones between large ones
  std::vector<words> expected;
  for (const words& each : elements) expected.push_back(doubled(each));
  CHECK((ex.map<doubled>(elements).get() == expected));
  CHECK((ex.map<made_there>(std::views::iota(std::uint64_t{0}, std::uint64_t{30})).get()[4] == make(4, 1000)));
  CHECK((ex.map<entry>(std::views::iota(std::size_t{0}, std::size_t{100}), sent).get() ==
         words(sent.begin(), sent.begin() + 100)));
  CHECK((ex.map_reduce<doubled, sums>(elements).get() == sums(expected)));
  CHECK((ex.call<nested>(5).get() == doubled(make(5, 2000))));
}

TEST_CASE("values are gone from the store soon after their calls", "[run]") {
  storing run;
  const std::string folder = run.folder.path();
  const auto count_files = [](const words&, const std::string& where) {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::recursive_directory_iterator(where)) count += each.is_regular_file();
    return count;
  };
  CHECK(run.local->call(count_files, make(0, 1000), folder).get() == 1);  // it does go through the store
  const std::vector<words> made =
      run.local->map<made_there>(std::views::iota(std::uint64_t{0}, std::uint64_t{20})).get();
  CHECK(made.size() == 20);
  wait_until([&] { return run.files() == 0; });
  CHECK(run.local->call(count_files, make(0, 10), folder).get() == 0);
}

TEST_CASE("an argument stays in the store as long as its call may be tried again", "[run]") {
  storing run;
  const scratch folder;
  const words sent = make(1, 3000);
  CHECK(run.local->with({.retries = 2}).call<fails_twice>(sent, folder / "fails").get() == sum(sent));
  CHECK(run.local->call<dies_once>(sent, folder / "dies").get() == sum(sent));
}

TEST_CASE("values of cancelled batches and of failed calls are gone, too", "[run]") {
  storing run;
  const scratch folder;
  const auto fails = [](const words&) -> int { throw std::domain_error("no"); };
  CHECK_THROWS_AS(run.local->call(fails, make(0, 1000)).get(), remote_error);
  const auto hangs = [](const words&, const std::string& file) {
    note(file);
    std::this_thread::sleep_for(1h);
  };
  {
    const std::vector<words> elements(6, make(0, 1000));
    batch<void> left = run.local->map(hangs, elements, folder / "running");
    wait_until([&] { return notes(folder / "running") == 2; });
    CHECK(run.files() >= 4);
  }
  wait_until([&] { return run.files() == 0; });
}

TEST_CASE("with no threshold nothing goes through the store", "[run]") {
  storing run(0);
  const words sent = make(7, 200'000);
  CHECK((run.local->call<doubled>(sent).get() == doubled(sent)));
  CHECK(std::filesystem::is_empty(run.folder.path()));
}

TEST_CASE("where the store takes nothing, values go through the connection", "[run]") {
  const scratch folder;
  note(folder / "file");
  cluster local(storing::settings(folder / "file/store", 1000));
  const words sent = make(7, 5000);
  CHECK((local->call<doubled>(sent).get() == doubled(sent)));
  const std::vector<words> elements(5, sent);
  CHECK(local->map<sum>(elements).get() == words(5, sum(sent)));
}

TEST_CASE("agents that may be elsewhere get values through the connection, unless a store is named", "[run]") {
  options settings;
  settings.listen = "tcp:127.0.0.1:0";
  settings.store_threshold = 1000;
  cluster local(settings);
  const auto folder = [](const words&) { return this_call().store().url(); };
  const std::string url = local->call(folder, make(0, 1000)).get();
  CHECK(!std::filesystem::exists(storage::location::parse(url).folder));
}

TEST_CASE("results that come by next are the same", "[run]") {
  storing run;
  batch<words> all = run.local->map<made_there>(std::views::iota(std::uint64_t{0}, std::uint64_t{40}));
  std::set<std::uint32_t> seen;
  const auto take = [](batch<words> from, std::set<std::uint32_t>* into) -> task<void> {
    while (auto done = co_await from.next()) {
      if (done->value == made_there(done->index)) into->insert(done->index);
    }
  };
  sync_wait(take(std::move(all), &seen));
  CHECK(seen.size() == 40);
}
