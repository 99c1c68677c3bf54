// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/worker_process.hpp>

#include <corolith/agent/detail/parent_death.hpp>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// All that the child needs, made ready before the fork: after it only async-signal-safe calls are allowed.
struct child_plan {
  const char* program = nullptr;
  std::vector<char*> argv, envp;
  int file = -1;
  std::array<int, 5> fds{};  // become 0 to 4
  pid_t parent = 0;
  bool pins = false;
  cpu_set_t cpus{};
};

inline void say(const char* text) noexcept {
  [[maybe_unused]] const auto written = ::write(2, text, std::strlen(text));
}

[[noreturn]] inline void run_child(const child_plan& plan) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, parent_death_signal());
  if (::getppid() != plan.parent) ::_exit(127);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);  // fails for SIGKILL and SIGSTOP
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.pins) ::sched_setaffinity(0, sizeof plan.cpus, &plan.cpus);
  // Out of the way first: one of them may have a number that another is to get.
  std::array<int, 5> moved{};
  for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = ::fcntl(plan.fds[i], F_DUPFD, 16);
  const int file = ::fcntl(plan.file, F_DUPFD, 16);
  for (std::size_t i = 0; i < moved.size(); ++i)
    if (moved[i] < 0 || ::dup2(moved[i], static_cast<int>(i)) < 0) ::_exit(127);
  constexpr int last = 5;
  if (::dup3(file, last, O_CLOEXEC) < 0) ::_exit(127);
  ::syscall(SYS_close_range, last + 1U, ~0U, 0U);
  ::fexecve(last, plan.argv.data(), plan.envp.data());
  const char* reason = strerrordesc_np(errno);
  say("corolith: cannot execute ");
  say(plan.program);
  say(": ");
  say(reason != nullptr ? reason : "unknown error");
  say("\n");
  ::_exit(127);
}

inline std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& each : strings) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

class all_signals_blocked {
 public:
  all_signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  all_signals_blocked(const all_signals_blocked&) = delete;
  all_signals_blocked& operator=(const all_signals_blocked&) = delete;
  ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// Readable when the process is gone. Where there is no pidfd (valgrind knows of none) a thread waits for it.
inline unique_fd watch_exit(pid_t pid) {
  unique_fd watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (watched) return watched;
  if (errno != ENOSYS) checked(-1, "cannot watch a worker (pidfd_open)");
  unique_fd told(checked(::eventfd(0, EFD_CLOEXEC), "cannot watch a worker (eventfd)"));
  unique_fd teller(checked(::fcntl(told.get(), F_DUPFD_CLOEXEC, 3), "cannot watch a worker"));
  const all_signals_blocked blocked;
  std::thread([pid, to = std::move(teller)] {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(to.get(), &one, sizeof one);
  }).detach();
  return told;
}

COROLITH_DECL worker_process::worker_process(const worker_command& command) {
  const bool threads = command.page < 0;
  std::vector<std::string> arguments{command.program, "--corolith-worker", threads ? "slots=3" : "fd=3"};
  if (!threads) arguments.emplace_back("page=4");
  std::vector<std::string> environment = command.environment;
  const unique_fd null(checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "cannot open /dev/null"));
  std::array<int, 2> pair{}, out{}, err{};
  checked(::socketpair(AF_UNIX, (threads ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0, pair.data()),
          "cannot make a socket pair for a worker");
  socket = unique_fd(pair[0]);
  const unique_fd childs_socket(pair[1]);
  checked(::pipe2(out.data(), O_CLOEXEC), "cannot make a pipe for a worker");
  output = unique_fd(out[0]);
  const unique_fd childs_output(out[1]);
  checked(::pipe2(err.data(), O_CLOEXEC), "cannot make a pipe for a worker");
  errors = unique_fd(err[0]);
  const unique_fd childs_errors(err[1]);
  for (const int fd : {output.get(), errors.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);

  child_plan plan;
  plan.program = command.program.c_str();
  plan.file = command.file;
  plan.argv = pointers(arguments);
  plan.envp = pointers(environment);
  plan.fds = {null.get(), childs_output.get(), childs_errors.get(), childs_socket.get(),
              threads ? null.get() : command.page};
  plan.parent = ::getpid();
  CPU_ZERO(&plan.cpus);
  for (const int cpu : command.cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<unsigned>(cpu), &plan.cpus);
  plan.pins = !command.cpus.empty();

  {
    const all_signals_blocked no_handler_of_the_agent_runs_in_the_child;
    pid_ = ::fork();
    if (pid_ == 0) run_child(plan);
  }
  checked(pid_, "cannot start a worker");
  ::setpgid(pid_, pid_);  // whichever of the two comes first
  try {
    exited = watch_exit(pid_);
  } catch (const std::system_error&) {
    kill_group();
    reap();
    throw;
  }
}

COROLITH_DECL worker_process::~worker_process() {
  if (pid_ > 0) {
    kill_group();
    reap();
  }
}

COROLITH_DECL void worker_process::kill_group() noexcept {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // also if it left its group
}

COROLITH_DECL exit_state worker_process::reap() noexcept {
  if (pid_ <= 0) return state_;
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  ::kill(-pid_, SIGKILL);  // while the zombie keeps the group's number from being another's
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status))
    state_.signal = WTERMSIG(status);
  else
    state_.exit_status = WEXITSTATUS(status);
  return state_;
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
