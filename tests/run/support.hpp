// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/run/executor.hpp>
#include <corolith/run/options.hpp>

#include <support/scratch.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <unistd.h>

namespace run_test {

using namespace corolith;
using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

using test_support::scratch;

/// Waits for something that must happen; the deadline only keeps a broken test from hanging.
template <class Condition>
void wait_until(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("what the test waits for does not happen");
    std::this_thread::sleep_for(5ms);
  }
}

std::string read_file(const std::string& path);

// --- what remote functions leave behind, for the driver to see ------------------------------------------------------

/// Adds `text` to a file, in one piece, from whatever process.
void note(const std::string& file, std::string_view text = "x");

/// How often `note(file)` was called.
std::size_t notes(const std::string& file);

// --- what is left ---------------------------------------------------------------------------------------------------

/// Where this process's executors put their session folders. It is in the environment of all that they start, which
/// tells those processes from all others, whoever their parent is by now.
const std::string& runtime_folder();

struct process {
  pid_t pid = 0;
  std::string command;
};

/// The processes that this one's executors started, and those that these started; `with` picks those whose command line
/// has it.
std::vector<process> started_processes(std::string_view with = {});

/// Processes and files of executors that are still there.
std::vector<std::string> leftovers();

void check_nothing_left();

/// An executor of a test's own. Its end is the end of the executor, after which nothing may be left.
class cluster {
 public:
  explicit cluster(options settings = {});
  ~cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  executor& operator*() noexcept { return executor_; }
  executor* operator->() noexcept { return &executor_; }

 private:
  executor executor_;
};

/// The exception of type E that `act` throws. No exception, or another one, fails the test.
template <class E, class Act>
E thrown(Act&& act) {
  try {
    act();
  } catch (const E& expected) {
    return expected;
  }
  throw std::runtime_error("nothing was thrown");
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace run_test
