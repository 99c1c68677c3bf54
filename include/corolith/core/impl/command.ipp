// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/command.hpp>
#include <corolith/core/process_status.hpp>
#include <corolith/core/spawn.hpp>

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace process {

inline std::string whole_of(int file) {
  struct stat info{};
  if (file < 0 || ::fstat(file, &info) != 0) return {};
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

COROLITH_DECL command::command(std::vector<std::string> words, const std::string& input, std::chrono::nanoseconds time)
    : name_(words.at(0)), deadline_(clock::now() + time) {
  const int given = ::memfd_create("input", MFD_CLOEXEC);
  output_ = ::memfd_create("output", MFD_CLOEXEC);
  errors_ = ::memfd_create("errors", MFD_CLOEXEC);
  int failure = given < 0 || output_ < 0 || errors_ < 0 ? errno : 0;
  if (failure == 0 && ::pwrite(given, input.data(), input.size(), 0) != static_cast<ssize_t>(input.size()))
    failure = ENOSPC;
  // A Ctrl-C is the driver's to handle.
  if (failure == 0) failure = spawn(pid_, name_.c_str(), std::move(words), {given, output_, errors_}, apart::group);
  if (given >= 0) ::close(given);
  if (failure == 0) return;
  why_ = failure == ENOENT ? "there is no such command on PATH"
                           : std::string("it cannot be started: ") + std::strerror(failure);
}

COROLITH_DECL command::~command() {
  if (pid_ != 0) {
    ::kill(-pid_, SIGKILL);
    wait();
  }
  if (output_ >= 0) ::close(output_);
  if (errors_ >= 0) ::close(errors_);
}

COROLITH_DECL bool command::done() {
  if (pid_ == 0) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    finish(status);
  } else if (!timed_out_ && clock::now() > deadline_) {
    timed_out_ = true;
    ::kill(-pid_, SIGKILL);
  }
  return pid_ == 0;
}

COROLITH_DECL void command::wait() {
  while (!done()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

COROLITH_DECL void command::terminate() {
  if (pid_ == 0) return;
  ::kill(-pid_, SIGTERM);
  deadline_ = clock::now() + std::chrono::seconds(5);
}

COROLITH_DECL void command::finish(int status) {
  pid_ = 0;
  if (timed_out_)
    why_ = "it did not answer in time";
  else if (status != 0)
    why_ = describe_wait_status(status);
}

COROLITH_DECL std::string command::output() const { return whole_of(output_); }

COROLITH_DECL std::string command::complaint() const {
  std::string text = name_ + ": " + why_;
  std::string said = whole_of(errors_);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return said.empty() ? text : text + ": " + said;
}

}  // namespace process
}  // namespace v0
}  // namespace corolith
