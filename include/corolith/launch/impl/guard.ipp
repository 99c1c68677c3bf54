// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/spawn.hpp>
#include <corolith/launch/guard.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace corolith {
inline namespace v0 {
namespace launch {

COROLITH_DECL guard::guard(const std::string& script, const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw launch_failed(std::string("cannot make a pipe: ") + std::strerror(errno));
  std::vector<std::string> words{"sh", "-c", "read -r word; [ \"$word\" = done ] && exit 0\n" + script,
                                 "corolith-guard"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int failure = process::spawn(pid_, "/bin/sh", std::move(words), {ends[0], null, null}, process::apart::session);
  if (null >= 0) ::close(null);
  ::close(ends[0]);
  pipe_ = ends[1];
  if (failure == 0) return;
  ::close(pipe_);
  throw launch_failed(std::string("cannot start /bin/sh: ") + std::strerror(failure));
}

COROLITH_DECL void guard::take_over() noexcept {
  if (pipe_ >= 0) ::close(pipe_);
  pipe_ = -1;
}

COROLITH_DECL guard::~guard() {
  if (pipe_ < 0) return;
  const std::string word = "done\n";
  [[maybe_unused]] const ssize_t written = ::write(pipe_, word.data(), word.size());
  ::close(pipe_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace launch
}  // namespace v0
}  // namespace corolith
