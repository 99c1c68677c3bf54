// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace process {

/// A short-lived command that runs beside its caller: it is asked now and then whether it is done. Its input and output are files
/// in memory, so nothing needs to be pumped and nothing can block. Killed when destroyed or when its time is over.
class command {
 public:
  using clock = std::chrono::steady_clock;

  /// Starts `words[0]`, found on PATH. A command that cannot be started is done at once, as one that failed.
  COROLITH_DECL command(std::vector<std::string> words, const std::string& input, std::chrono::nanoseconds time);
  command(const command&) = delete;
  command& operator=(const command&) = delete;
  COROLITH_DECL ~command();

  /// Never blocks.
  COROLITH_DECL bool done();
  /// Blocks until it is done.
  COROLITH_DECL void wait();
  /// Asks it to end; it is killed when it has not done so some seconds later. Does not wait.
  COROLITH_DECL void terminate();

  // Once it is done:
  bool succeeded() const noexcept { return why_.empty(); }
  /// What it wrote to its standard output.
  COROLITH_DECL std::string output() const;
  /// "sbatch: exit status 1: sbatch: error: invalid partition specified: nope"
  COROLITH_DECL std::string complaint() const;

 private:
  COROLITH_DECL void finish(int status);

  std::string name_;
  clock::time_point deadline_;
  pid_t pid_ = 0;  // 0: done
  int output_ = -1;
  int errors_ = -1;
  bool timed_out_ = false;
  std::string why_;
};

}  // namespace process
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/core/impl/command.ipp>
#endif
