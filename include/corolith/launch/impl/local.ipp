// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/core/process_status.hpp>
#include <corolith/core/spawn.hpp>
#include <corolith/launch/detail/file_tail.hpp>
#include <corolith/launch/local.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace corolith {
inline namespace v0 {
namespace launch {

COROLITH_DECL local::~local() { kill(); }

COROLITH_DECL std::vector<std::string> local::arguments_of(const request& what, std::uint32_t number,
                                                           const std::vector<int>& cpus) const {
  const auto cpu_count = static_cast<std::uint32_t>(cpus.size());
  const std::uint32_t slots = what.slots != 0 ? what.slots : std::max(1U, cpu_count / what.agents);
  std::vector<std::string> arguments{own_executable_path(), what.role,
                                     fmt::format("connect={}", fmt::join(what.connect, ","))};
  const std::string host = host_name();
  arguments.push_back("node_name=" + (what.agents == 1 ? host : fmt::format("{}:{}", host, number)));
  arguments.push_back(fmt::format("slots={}", slots));
  arguments.push_back(fmt::format("gpus={}", what.gpus));
  arguments.push_back(fmt::format("memory={}", what.memory != 0 ? what.memory : physical_memory() / what.agents));
  arguments.push_back(fmt::format("launch_tag={}", number));
  arguments.push_back(fmt::format("parent_pid={}", ::getpid()));
  arguments.push_back(fmt::format("rejoin={}", what.rejoin.count()));
  if (!what.secret_file.empty()) arguments.push_back("secret_file=" + what.secret_file);
  if (!what.cache_folder.empty()) arguments.push_back("cache_folder=" + what.cache_folder);
  if (!what.log_level.empty()) arguments.push_back("log_level=" + what.log_level);
  arguments.insert(arguments.end(), what.more.begin(), what.more.end());
  // Pinning only helps when each slot can have its own processor.
  if (slots * what.agents <= cpu_count)
    arguments.push_back("cpu_list=" + fmt::format("{}", fmt::join(cpus.begin() + number * slots,
                                                                  cpus.begin() + (number + 1) * slots, ",")));
  return arguments;
}

COROLITH_DECL void local::start(const request& what) {
  const std::vector<int> cpus = usable_cpus();
  agents_.resize(what.agents);
  for (std::uint32_t number = 0; number < what.agents; ++number) {
    agents_[number].arguments = arguments_of(what, number, cpus);
    agents_[number].log_file = fmt::format("{}/agent-{}.log", what.session_folder, number);
    spawn(agents_[number]);
  }
}

COROLITH_DECL void local::restart(std::uint32_t unit) { spawn(agents_.at(unit)); }

COROLITH_DECL void local::spawn(child& agent) {
  // argv[0] is what the user sees in `ps`; the executable is opened through /proc, so a replaced file does not matter.
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int log = ::open(agent.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int failure = null < 0 || log < 0 ? errno : 0;
  if (failure == 0)
    failure = process::spawn(agent.pid, own_executable_to_run().c_str(), agent.arguments, {null, null, log},
                             process::apart::group);
  if (null >= 0) ::close(null);
  if (log >= 0) ::close(log);
  if (failure != 0)
    throw launch_failed(fmt::format("cannot start a local agent from {} with its log in {}: {}", agent.arguments[0],
                                    agent.log_file, std::strerror(failure)));
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
