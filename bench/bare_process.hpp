// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "line_process.hpp"

#include <corolith/core/own_executable.hpp>

#include <sched.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Processes of this program that do without corolith what its calls do, and nothing else.
namespace bench {

/// What starts this program again.
inline std::vector<std::string> of_this_program(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{corolith::own_executable_path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

/// One that answers each line of its standard input with a line: how many seconds that took. The first line, before any question,
/// says that it is ready.
class bare_process {
 public:
  /// `arguments` tell the program what it is to be.
  explicit bare_process(const std::vector<std::string>& arguments)
      : process_(corolith::own_executable, of_this_program(arguments)) {}

  void pin(int processor) const {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(processor), &only);
    ::sched_setaffinity(process_.pid(), sizeof only, &only);
  }
  void ask(const std::string& line) { process_.ask(line); }
  double answer() { return std::stod(process_.answer()); }

 private:
  line_process process_;
};

/// What such a process does once it is ready: `work(line)` for each line.
template <class Work>
int serve_bare_process(Work&& work) {
  std::puts("0");
  std::fflush(stdout);
  for (char line[256]; std::fgets(line, sizeof line, stdin) != nullptr;) {
    const auto begin = std::chrono::steady_clock::now();
    work(line);
    std::printf("%.9f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    std::fflush(stdout);
  }
  return 0;
}

/// Several of them at once.
class bare_processes {
 public:
  struct result {
    double wall_s = 0;  ///< until the last of them was done
    double busy_s = 0;  ///< all their times together
  };

  /// Each gets a processor of its own where there are `processors`, one for each.
  bare_processes(std::size_t count, const std::vector<std::string>& arguments, const std::vector<int>& processors) {
    for (std::size_t i = 0; i < count; ++i) {
      all_.push_back(std::make_unique<bare_process>(arguments));
      if (count == processors.size()) all_.back()->pin(processors[i]);
    }
    for (auto& each : all_) each->answer();
  }

  /// `items` in all, shared out evenly: `ask(first, count)` is the line for each.
  template <class Ask>
  result run(std::size_t items, Ask&& ask) {
    result all;
    const auto begin = std::chrono::steady_clock::now();
    std::size_t first = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const std::size_t count = items / all_.size() + (i < items % all_.size() ? 1 : 0);
      all_[i]->ask(ask(first, count));
      first += count;
    }
    for (auto& each : all_) all.busy_s += each->answer();
    all.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return all;
  }

 private:
  std::vector<std::unique_ptr<bare_process>> all_;
};

}  // namespace bench
