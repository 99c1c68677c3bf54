// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/launch/detail/slurm_guard.hpp>
#include <corolith/launch/detail/spawn.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

// An sbatch that was under way may still succeed a little later, hence the second round. What still runs in the jobs ends
// because its driver is gone; to cancel is to be sure.
inline constexpr const char* guard_script =
    "read -r word; [ \"$word\" = done ] && exit 0\n"
    "rm -rf -- \"$2\"\n"
    "for pause in 0 3 10 30 60 120; do sleep \"$pause\"; scancel --quiet --user=\"$(id -u)\" --name=\"$1\" && [ "
    "\"$pause\" -gt 0 ] && exit 0; done\n";

COROLITH_DECL slurm_guard::slurm_guard(const std::string& job_name, const std::string& session_folder) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw launch_failed(std::string("cannot make a pipe: ") + std::strerror(errno));
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int failure = spawn(pid_, "/bin/sh", {"sh", "-c", guard_script, "corolith-guard", job_name, session_folder},
                            {ends[0], null, null}, apart::session);
  if (null >= 0) ::close(null);
  ::close(ends[0]);
  pipe_ = ends[1];
  if (failure == 0) return;
  ::close(pipe_);
  throw launch_failed(std::string("cannot start /bin/sh: ") + std::strerror(failure));
}

COROLITH_DECL void slurm_guard::take_over() noexcept {
  if (pipe_ >= 0) ::close(pipe_);
  pipe_ = -1;
}

COROLITH_DECL slurm_guard::~slurm_guard() {
  if (pipe_ < 0) return;
  const std::string word = "done\n";
  [[maybe_unused]] const ssize_t written = ::write(pipe_, word.data(), word.size());
  ::close(pipe_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith
