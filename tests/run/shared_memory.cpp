// SPDX-License-Identifier: Apache-2.0
// Large values between driver, agent and workers of one machine: in memory that they share, which nobody holds on to.
#include <corolith/core/segment_pool.hpp>
#include <corolith/run/executor.hpp>
#include <corolith/run/this_call.hpp>

#include <support/descriptors.hpp>

#include "support.hpp"

#include <cstring>
#include <fstream>
#include <numeric>
#include <ranges>
#include <set>
#include <span>
#include <sstream>

using namespace run_test;
using test_support::open_segments;

namespace {

using bytes = std::vector<std::byte>;
using words = std::vector<std::uint64_t>;
constexpr std::size_t mib = std::size_t{1} << 20;

words pattern(std::size_t size) {
  words all(size / 8);
  std::uint64_t state = size;
  for (std::uint64_t& each : all) each = state = state * 6364136223846793005u + 1442695040888963407u;
  return all;
}
std::uint64_t sum(std::span<const std::uint64_t> all) {
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
}
words echo(words all) { return all; }
std::uint64_t sum_there(std::span<const std::uint64_t> all) { return sum(all); }
std::uint64_t dies_once(std::span<const std::uint64_t> all, const std::string& file) {
  note(file);
  const std::uint64_t result = sum(all);
  if (notes(file) < 2) ::raise(SIGKILL);
  return result;
}
words result_of(int index) { return pattern(static_cast<std::size_t>(index % 3 + 1) * mib); }

/// What this process has in memory: its own part, in KiB, and what of shared values it sees.
struct memory_seen {
  pid_t pid = 0;
  std::uint64_t pss_of_values = 0;  ///< bytes in memory files, divided among those who have mapped them
  std::uint64_t anonymous = 0;      ///< bytes of its own
  std::uint64_t sum = 0;
};
memory_seen look() {
  memory_seen seen;
  seen.pid = ::getpid();
  std::ifstream file("/proc/self/smaps");
  bool of_values = false;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words_of(line);
    std::string name;
    std::uint64_t kib = 0;
    words_of >> name;
    if (!name.ends_with(':'))
      of_values = line.find("corolith-value") != std::string::npos;
    else if (words_of >> kib; name == "Pss:" && of_values)
      seen.pss_of_values += kib * 1024;
    else if (name == "Anonymous:")
      seen.anonymous += kib * 1024;
  }
  return seen;
}
memory_seen look_at(int index, std::span<const std::byte> shared) {
  std::uint64_t sum = static_cast<std::uint64_t>(index);
  for (std::size_t at = 0; at < shared.size(); at += 512) sum += std::to_integer<std::uint64_t>(shared[at]);
  std::this_thread::sleep_for(1ms);
  memory_seen seen = look();
  seen.sum = sum;
  return seen;
}
bool in_place(std::span<const double> all, std::string_view text) {
  return reinterpret_cast<std::uintptr_t>(all.data()) % 64 == 0 && !text.empty() && look().anonymous < all.size_bytes();
}
std::size_t descriptors_here() { return open_segments(); }

}  // namespace

TEST_CASE("large arguments and results pass through shared memory, and no descriptor is left of them", "[run]") {
  {
    cluster local(options{.slots = 2});
    for (const std::size_t size : {2 * mib, 32 * mib + 8, 2 * mib}) {
      const words sent = pattern(size);
      CHECK((local->call<echo>(sent).get() == sent));
      CHECK(local->call<sum_there>(sent).get() == sum(sent));
    }
    const std::vector<words> elements(40, pattern(mib + 80));
    for (const std::uint64_t each : local->map<sum_there>(elements).get()) CHECK(each == sum(elements.front()));
    const std::vector<words> results = local->map<result_of>(std::views::iota(0, 30)).get();
    for (int i = 0; i < 30; ++i) CHECK((results[static_cast<std::size_t>(i)] == result_of(i)));
    // What is kept is given back after a while.
    wait_until([] { return open_segments() == 0; });
    CHECK(segment_pool::of_process().count() == 0);
    for (const process& each : started_processes())
      wait_until([&] { return open_segments(std::to_string(each.pid)) == 0; });
  }
  CHECK(open_segments() == 0);
}

TEST_CASE("a call whose worker died with a mapping of its argument runs again with it", "[run]") {
  const scratch folder;
  cluster local(options{.slots = 2});
  const words sent = pattern(16 * mib);
  CHECK(local->call<dies_once>(sent, folder / "dies").get() == sum(sent));
  CHECK((local->call<echo>(sent).get() == sent));
  wait_until([] { return open_segments() == 0; });
}

TEST_CASE("an agent that is killed takes no argument with it", "[run]") {
  const scratch folder;
  cluster local(options{.slots = 2});
  const words sent = pattern(8 * mib);
  const auto waits = [](std::span<const std::uint64_t> all, const std::string& file) {
    note(file);
    if (notes(file) < 2) std::this_thread::sleep_for(1h);
    return sum(all);
  };
  future<std::uint64_t> value = local->call(waits, sent, folder / "waits");
  wait_until([&] { return notes(folder / "waits") == 1; });
  for (const process& each : started_processes("--corolith-agent")) ::kill(each.pid, SIGKILL);
  CHECK(value.get() == sum(sent));
  value = {};
  wait_until([] { return open_segments() == 0; });
}

TEST_CASE("all workers of a node look at the same shared argument", "[run]") {
  const std::size_t size = (sanitized ? 16 : 64) * mib;
  cluster local(options{.slots = 4});
  bytes shared(size, std::byte{3});
  local->map<look_at>(std::views::iota(0, 40), std::span<const std::byte>()).get();
  const auto all = local->map<look_at>(std::views::iota(0, 1000), std::span<const std::byte>(shared)).get();
  std::set<pid_t> workers;
  std::uint64_t wrong = 0, index = 0;
  std::uint64_t most_of_own = 0;
  for (const memory_seen& each : all) {
    workers.insert(each.pid);
    wrong += each.sum != index++ + size / 512 * 3;
    most_of_own = std::max(most_of_own, each.anonymous);
  }
  CHECK(wrong == 0);
  CHECK(workers.size() == 4);
  // In each of them the memory is counted in equal parts, the driver's included, once all have looked at it.
  CHECK(all.back().pss_of_values > 0);
  CHECK(all.back().pss_of_values < size / 2);
  if (!sanitized) CHECK(most_of_own < size / 2);  // and none has a copy
  for (const process& agent : started_processes("--corolith-agent")) {
    std::ifstream status("/proc/" + std::to_string(agent.pid) + "/status");
    std::uint64_t anonymous_kib = 0;
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("RssAnon:")) std::istringstream(line.substr(8)) >> anonymous_kib;
    CHECK(anonymous_kib > 0);
    if (!sanitized) CHECK(anonymous_kib * 1024 < size / 2);
  }
}

TEST_CASE("a function that takes views looks at its arguments where they arrived", "[run]") {
  if (sanitized) return;  // which have memory of their own
  cluster local(options{.slots = 1});
  const std::vector<double> all(16 * mib / 8, 0.5);
  CHECK(local->call<in_place>(all, "text").get());
  const auto mapped =
      local->map([](int, std::span<const double> shared) { return in_place(shared, "x"); }, std::vector{1, 2, 3}, all);
}

TEST_CASE("a process that has no descriptors to spare sends large values all the same", "[run]") {
  cluster local(options{.slots = 1});
  segment_pool::of_process().allow({});
  const words sent = pattern(24 * mib);
  CHECK((local->call<echo>(sent).get() == sent));
  CHECK(local->call<descriptors_here>().get() <= 2);
}
