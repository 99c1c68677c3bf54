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
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
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

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// --- what remote functions leave behind, for the driver to see ------------------------------------------------------

/// Adds `text` to a file, in one piece, from whatever process.
inline void note(const std::string& file, std::string_view text = "x") {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("cannot write " + file);
  ::close(fd);
}

/// How often `note(file)` was called.
inline std::size_t notes(const std::string& file) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(file, missing);
  return missing ? 0 : static_cast<std::size_t>(size);
}

// --- what is left ---------------------------------------------------------------------------------------------------

/// Where this process's executors put their session folders. It is in the environment of all that they start, which
/// tells those processes from all others, whoever their parent is by now.
inline const std::string& runtime_folder() {
  static const scratch folder;
  static const int once = ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
  static_cast<void>(once);
  return folder.path();
}

struct process {
  pid_t pid = 0;
  std::string command;
};

/// The processes that this one's executors started, and those that these started; `with` picks those whose command line
/// has it.
inline std::vector<process> started_processes(std::string_view with = {}) {
  std::vector<process> found;
  const std::string mark = "XDG_RUNTIME_DIR=" + runtime_folder() + '\0';
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(::getpid())) continue;
    if (read_file("/proc/" + name + "/environ").find(mark) == std::string::npos) continue;
    std::string command = read_file("/proc/" + name + "/cmdline");
    for (char& c : command)
      if (c == '\0') c = ' ';
    if (command.find(with) != std::string::npos)
      found.push_back({static_cast<pid_t>(std::stol(name)), std::move(command)});
  }
  return found;
}

/// Processes and files of executors that are still there.
inline std::vector<std::string> leftovers() {
  std::vector<std::string> found;
  for (const process& each : started_processes())
    found.push_back("process " + std::to_string(each.pid) + ": " + each.command);
  for (const auto& entry : std::filesystem::directory_iterator(runtime_folder()))
    found.push_back(entry.path().string());
  return found;
}

inline void check_nothing_left() {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  std::vector<std::string> left = leftovers();
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(5ms);
    left = leftovers();
  }
  CHECK(left == std::vector<std::string>{});
}

/// An executor of a test's own. Its end is the end of the executor, after which nothing may be left.
class cluster {
 public:
  explicit cluster(options settings = {}) : executor_(start(std::move(settings))) {}
  ~cluster() {
    executor_.close();
    check_nothing_left();
  }
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  executor& operator*() noexcept { return executor_; }
  executor* operator->() noexcept { return &executor_; }

 private:
  static executor start(options settings) {
    runtime_folder();
    if (settings.slots == 0) settings.slots = 2;
    return executor(settings);
  }
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
