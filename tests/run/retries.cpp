// SPDX-License-Identifier: Apache-2.0
// How often a call runs.
#include <corolith/run/executor.hpp>

#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <ranges>

using namespace run_test;

namespace {

/// Fails in its first `failures` attempts; the attempts of each element are noted in a file of their own.
int works_after(int x, int failures, const std::string& file) {
  const std::string mine = file + std::to_string(x);
  note(mine);
  if (static_cast<int>(notes(mine)) <= failures)
    throw std::runtime_error("attempt " + std::to_string(this_call().attempt()));
  return x;
}

/// Runs for ever in its first attempt.
int hangs_once(int x, const std::string& file) {
  note(file + std::to_string(x));
  if (this_call().attempt() == 1) std::this_thread::sleep_for(1h);
  return x;
}

const std::vector elements{0, 1, 2, 3};

}  // namespace

TEST_CASE("a call runs until it works", "[run]") {
  cluster local;
  const scratch folder;
  const int failures = GENERATE(0, 1, 2);
  batch<int> all = local->with({.retries = 5}).map<works_after>(elements, failures, folder / "call-").keep_stats();
  CHECK(all.get() == elements);
  for (int x : elements) CHECK(notes(folder / "call-" + std::to_string(x)) == static_cast<std::size_t>(failures) + 1);
  for (const call_stats& each : all.stats()) CHECK(each.attempt == static_cast<std::uint32_t>(failures) + 1);
}

TEST_CASE("more failures than retries are an error", "[run]") {
  cluster local;
  const scratch folder;
  const std::uint32_t retries = GENERATE(0u, 2u);
  SECTION("of a call") {
    future<int> one = local->with({.retries = retries}).call<works_after>(0, 100, folder / "call-");
    const auto failure = thrown<remote_error>([&] { one.get(); });
    CHECK(failure.message() == "attempt " + std::to_string(retries + 1));
    CHECK(failure.origin().attempt == retries + 1);
    CHECK(one.state() == call_state::failed);
  }
  SECTION("of each call of a map") {
    const auto all =
        sync_wait(as_result(local->with({.retries = retries}).map<works_after>(elements, 100, folder / "call-")));
    REQUIRE(all.size() == elements.size());
    for (const result<int>& each : all) CHECK_THROWS_AS(each.value(), remote_error);
    for (int x : elements) CHECK(notes(folder / "call-" + std::to_string(x)) == retries + 1);
  }
  CHECK(notes(folder / "call-0") == retries + 1);
}

TEST_CASE("a call that is over its timeout runs again", "[run]") {
  cluster local(options{.slots = 2, .grace = 20ms});
  const scratch folder;
  const executor ex = local->with({.timeout = 300ms, .retries = 5});
  batch<int> all = ex.map<hangs_once>(std::vector{0, 1}, folder / "call-").keep_stats();
  CHECK(all.get() == std::vector{0, 1});
  for (const call_stats& each : all.stats()) CHECK(each.attempt >= 2);
  CHECK(notes(folder / "call-0") >= 2);
}

TEST_CASE("an executor's defaults hold where nothing else is said", "[run]") {
  const scratch folder;
  cluster local(options{.defaults = {.retries = 1}});
  CHECK_THROWS_AS(local->call<works_after>(0, 100, folder / "call-").get(), remote_error);
  CHECK(notes(folder / "call-0") == 2);
  CHECK_THROWS_AS(local->with({.retries = 0}).call<works_after>(1, 100, folder / "call-").get(), remote_error);
  CHECK(notes(folder / "call-1") == 1);
  CHECK_THROWS_AS(local->with({.chunk = 5}).call<works_after>(2, 100, folder / "call-").get(), remote_error);
  CHECK(notes(folder / "call-2") == 2);
}

TEST_CASE("options that make no sense are refused at once", "[run]") {
  cluster local;
  CHECK_THROWS_AS(local->with({.timeout = 0s}), config_error);
  CHECK_THROWS_AS(local->with({.timeout = -1s}), config_error);
  CHECK_THROWS_AS(local->with({.cpus = 0}), config_error);
  CHECK_THROWS_AS(local->with({.env = {{"", "x"}}}), config_error);
  CHECK_THROWS_AS(local->with({.env = {{"A=B", "x"}}}), config_error);
}

TEST_CASE("a call that asks for more than any agent has fails", "[run]") {
  cluster local(options{.agents = 2, .slots = 1});
  const auto one = [] { return 1; };
  CHECK(thrown<error>([&] { local->with({.cpus = 2}).call(one).get(); }).code() == errc::cannot_fit);
  CHECK(thrown<error>([&] { local->with({.gpus = 1}).call(one).get(); }).code() == errc::cannot_fit);
  CHECK(thrown<error>([&] { local->with({.memory = std::uint64_t{1} << 60}).call(one).get(); }).code() ==
        errc::cannot_fit);
  CHECK(local->call(one).get() == 1);
}
