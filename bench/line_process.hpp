// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/spawn.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// A process that answers lines of its standard input with lines, and ends with its input.
class line_process {
 public:
  /// `command`: a program (a path, or a name on PATH) and its arguments.
  explicit line_process(std::vector<std::string> command) : line_process(command.front(), command) {}
  /// Runs `program`, which is told another name in `command`.
  line_process(const std::string& program, std::vector<std::string> command) : name_(command.front()) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
    namespace process = corolith::process;
    const int failure =
        process::spawn(pid_, program.c_str(), std::move(command), {in[0], out[1], 2}, process::apart::group);
    ::close(in[0]);
    ::close(out[1]);
    to_ = ::fdopen(in[1], "w");
    from_ = ::fdopen(out[0], "r");
    if (failure == 0) return;
    close();
    throw std::runtime_error(name_ + " could not be started: " + std::strerror(failure));
  }
  ~line_process() { end(); }
  line_process(const line_process&) = delete;
  line_process& operator=(const line_process&) = delete;

  pid_t pid() const { return pid_; }

  void ask(const std::string& line) {
    std::fprintf(to_, "%s\n", line.c_str());
    std::fflush(to_);
  }
  /// The next line. Throws where there is none.
  std::string answer() {
    std::string line;
    if (!next(line)) throw std::runtime_error(name_ + " ended early");
    return line;
  }
  /// False at the end.
  bool next(std::string& line) {
    line.clear();
    for (int c = std::getc(from_); c != EOF; c = std::getc(from_)) {
      if (c == '\n') return true;
      line += static_cast<char>(c);
    }
    return !line.empty();
  }
  /// Closes its input and waits for its end; as waitpid gives it.
  int end() {
    close();
    int status = 0;
    if (pid_ != 0) ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }

 private:
  void close() {
    for (std::FILE** const file : {&to_, &from_})
      if (*file != nullptr) std::fclose(std::exchange(*file, nullptr));
  }

  std::string name_;
  pid_t pid_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace bench
