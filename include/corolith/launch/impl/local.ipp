// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/process_status.hpp>
#include <corolith/launch/detail/file_tail.hpp>
#include <corolith/launch/local.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

inline std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

inline std::uint64_t physical_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

inline std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace detail

COROLITH_DECL local::~local() { kill(); }

COROLITH_DECL std::vector<std::string> local::arguments_of(const request& what, std::uint32_t number,
                                                           const std::vector<int>& cpus) const {
  const auto cpu_count = static_cast<std::uint32_t>(cpus.size());
  const std::uint32_t slots = what.slots != 0 ? what.slots : std::max(1U, cpu_count / what.agents);
  std::vector<std::string> arguments{"/proc/self/exe", "--corolith-agent",
                                     fmt::format("connect={}", fmt::join(what.connect, ",")),
                                     "session_folder=" + what.session_folder};
  const std::string host = detail::host_name();
  arguments.push_back("node_name=" + (what.agents == 1 ? host : fmt::format("{}:{}", host, number)));
  arguments.push_back(fmt::format("slots={}", slots));
  arguments.push_back(fmt::format("gpus={}", what.gpus));
  arguments.push_back(
      fmt::format("memory={}", what.memory != 0 ? what.memory : detail::physical_memory() / what.agents));
  arguments.push_back(fmt::format("launch_tag={}", number));
  arguments.push_back(fmt::format("parent_pid={}", ::getpid()));
  if (!what.secret_file.empty()) arguments.push_back("secret_file=" + what.secret_file);
  if (!what.cache_folder.empty()) arguments.push_back("cache_folder=" + what.cache_folder);
  if (!what.log_level.empty()) arguments.push_back("log_level=" + what.log_level);
  // Pinning only helps when each slot can have its own processor.
  if (slots * what.agents <= cpu_count)
    arguments.push_back("cpu_list=" + fmt::format("{}", fmt::join(cpus.begin() + number * slots,
                                                                  cpus.begin() + (number + 1) * slots, ",")));
  return arguments;
}

COROLITH_DECL void local::start(const request& what) {
  const std::vector<int> cpus = detail::usable_cpus();
  agents_.resize(what.agents);
  for (std::uint32_t number = 0; number < what.agents; ++number) {
    agents_[number].arguments = arguments_of(what, number, cpus);
    agents_[number].log_file = fmt::format("{}/agent-{}.log", what.session_folder, number);
    spawn(agents_[number]);
  }
}

COROLITH_DECL void local::restart(std::uint32_t unit) { spawn(agents_.at(unit)); }

COROLITH_DECL void local::spawn(child& agent) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, agent.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);  // what the program has open is not the agents' to hold
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  for (std::string& argument : agent.arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // argv[0] is what the user sees in `ps`; the executable is opened through /proc, so a replaced file does not matter.
  char own_path[4096] = {};
  if (::readlink("/proc/self/exe", own_path, sizeof own_path - 1) > 0) argv[0] = own_path;
  const int failure = ::posix_spawn(&agent.pid, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    agent.pid = 0;
    throw launch_failed(fmt::format("cannot start a local agent from {}: {}", own_path, std::strerror(failure)));
  }
}

COROLITH_DECL std::vector<unit_exit> local::ended() {
  std::vector<unit_exit> exits;
  for (std::uint32_t number = 0; number < agents_.size(); ++number) {
    child& agent = agents_[number];
    int status = 0;
    if (agent.pid == 0 || ::waitpid(agent.pid, &status, WNOHANG) != agent.pid) continue;
    agent.pid = 0;
    exits.push_back({number, fmt::format("local agent {} ended: {}", number, describe_wait_status(status)),
                     detail::file_tail(agent.log_file), false});
  }
  return exits;
}

COROLITH_DECL bool local::all_gone() {
  ended();
  return std::all_of(agents_.begin(), agents_.end(), [](const child& agent) { return agent.pid == 0; });
}

COROLITH_DECL void local::kill() noexcept {
  for (child& agent : agents_) {
    if (agent.pid == 0) continue;
    ::kill(agent.pid, SIGKILL);
    int status = 0;
    while (::waitpid(agent.pid, &status, 0) < 0 && errno == EINTR) {
    }
    agent.pid = 0;
  }
}

}  // namespace launch
}  // namespace v0
}  // namespace corolith
