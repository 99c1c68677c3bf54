// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "job.hpp"
#include "work.hpp"

#include <corolith/core/machine.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/launch/detail/spawn.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The same work without corolith: processes of this program that loop over it and do nothing else.
namespace bench::flops {

inline constexpr std::string_view bare_loop_flag = "--bare-loop";

/// What such a process does: says that it is ready, and for each number of calls that it reads says how long they took.
inline int serve_bare_loop(char** arguments) {
  job what;
  what.matn = static_cast<std::uint32_t>(std::stoul(arguments[0]));
  what.loopcount = static_cast<std::uint32_t>(std::stoul(arguments[1]));
  what.threads = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  what.is_double = std::string_view(arguments[3]) == "double";
  prepare(what);
  std::puts("0");
  std::fflush(stdout);
  for (unsigned calls = 0; std::scanf("%u", &calls) == 1;) {
    const auto begin = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < calls; ++i) work(what);
    std::printf("%.9f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    std::fflush(stdout);
  }
  return 0;
}

class bare_loops {
 public:
  struct result {
    double wall_s = 0;  ///< until the last of them was done
    double busy_s = 0;  ///< all their times together
  };

  bare_loops(std::size_t count, const job& what) {
    const std::vector<int> processors = corolith::usable_cpus();
    for (std::size_t i = 0; i < count; ++i) {
      processes_.push_back(std::make_unique<process>(what));
      // As corolith's own agent does it where the processors suffice.
      if (count * what.threads == processors.size() && what.threads == 1) processes_.back()->pin(processors[i]);
    }
    for (auto& each : processes_) each->read();
  }

  /// `calls` in all, shared out evenly.
  result run(std::size_t calls) {
    result all;
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < processes_.size(); ++i)
      processes_[i]->write(calls / processes_.size() + (i < calls % processes_.size() ? 1 : 0));
    for (auto& each : processes_) all.busy_s += each->read();
    all.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return all;
  }

 private:
  class process {
   public:
    explicit process(const job& what) {
      int in[2], out[2];
      if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
      const std::vector<std::string> words{corolith::own_executable_path(), std::string(bare_loop_flag),
                                           std::to_string(what.matn),       std::to_string(what.loopcount),
                                           std::to_string(what.threads),    what.is_double ? "double" : "float"};
      namespace launch = corolith::launch::detail;
      const int failure =
          launch::spawn(pid_, corolith::own_executable, words, {in[0], out[1], 2}, launch::apart::group);
      ::close(in[0]);
      ::close(out[1]);
      to_ = ::fdopen(in[1], "w");
      from_ = ::fdopen(out[0], "r");
      if (failure != 0) throw std::runtime_error("a bare loop could not be started");
    }
    ~process() {
      std::fclose(to_);  // which ends it
      std::fclose(from_);
      if (pid_ != 0) ::waitpid(pid_, nullptr, 0);
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    void pin(int processor) const {
      cpu_set_t only;
      CPU_ZERO(&only);
      CPU_SET(static_cast<unsigned>(processor), &only);
      ::sched_setaffinity(pid_, sizeof only, &only);
    }
    void write(std::size_t calls) {
      std::fprintf(to_, "%zu\n", calls);
      std::fflush(to_);
    }
    double read() {
      double value = 0;
      if (std::fscanf(from_, "%lf", &value) != 1) throw std::runtime_error("a bare loop ended early");
      return value;
    }

   private:
    pid_t pid_ = 0;
    std::FILE* to_ = nullptr;
    std::FILE* from_ = nullptr;
  };

  std::vector<std::unique_ptr<process>> processes_;
};

}  // namespace bench::flops
