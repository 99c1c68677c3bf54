// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/own_executable.hpp>
#include <corolith/core/spawn.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// One that answers each line of its standard input with a line: how many seconds that took. The first line, before any question,
/// says that it is ready.
class bare_process {
 public:
  /// `arguments` tell the program what it is to be.
  explicit bare_process(const std::vector<std::string>& arguments) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
    std::vector<std::string> words{corolith::own_executable_path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    namespace process = corolith::process;
    const int failure =
        process::spawn(pid_, corolith::own_executable, words, {in[0], out[1], 2}, process::apart::group);
    ::close(in[0]);
    ::close(out[1]);
    to_ = ::fdopen(in[1], "w");
    from_ = ::fdopen(out[0], "r");
    if (failure != 0) throw std::runtime_error("a bare loop could not be started");
  }
  ~bare_process() {
    std::fclose(to_);  // which ends it
    std::fclose(from_);
    if (pid_ != 0) ::waitpid(pid_, nullptr, 0);
  }
  bare_process(const bare_process&) = delete;
  bare_process& operator=(const bare_process&) = delete;

  void pin(int processor) const {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(processor), &only);
    ::sched_setaffinity(pid_, sizeof only, &only);
  }
  void ask(const std::string& line) {
    std::fprintf(to_, "%s\n", line.c_str());
    std::fflush(to_);
  }
  double answer() {
    double value = 0;
    if (std::fscanf(from_, "%lf", &value) != 1) throw std::runtime_error("a bare loop ended early");
    return value;
  }

 private:
  pid_t pid_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
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
