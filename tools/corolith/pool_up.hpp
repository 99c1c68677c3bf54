// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pool_settings.hpp"

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/core/process_status.hpp>
#include <corolith/core/spawn.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/launch/pool_head.hpp>
#include <corolith/pool/client.hpp>
#include <corolith/pool/head.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// `corolith pool up`: a head, here or in a session of its own.
namespace tool {

inline std::string who_has(const corolith::launch::pool_folder& folder) {
  const auto record = folder.read();
  return record ? fmt::format("its head is process {} on {}", record->pid, record->host)
                : "another head starts just now";
}

[[noreturn]] inline void refuse_second(const corolith::launch::pool_folder& folder) {
  throw corolith::launch_failed(fmt::format("the pool {} is up already: {}", folder.name(), who_has(folder)));
}

/// Whether a head lives although its lock could be taken: not all file systems share locks between machines.
inline bool lives(const corolith::launch::pool_folder& folder, const corolith::launch::pool_record& record) {
  using corolith::launch::head_state;
  const head_state state = corolith::launch::state_of(record);
  if (state != head_state::unknown) return state == head_state::alive;
  try {
    corolith::pool::ask_head(folder, {"show"});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

inline int be_head(corolith::pool::head_options options) {
  const corolith::launch::pool_folder folder(options.folder, options.name);
  auto claim = folder.claim();
  if (!claim) refuse_second(folder);
  corolith::log::set_level(corolith::log::parse_level(options.log_level));
  if (const auto record = folder.read()) {
    if (lives(folder, *record)) refuse_second(folder);
    corolith::log::warning(
        fmt::format("the head that was here before (process {} on {}) has died; what it left is removed", record->pid,
                    record->host));
  }
  return corolith::pool::run_head(std::move(options), std::move(*claim));
}

inline std::string tail_of_log(const corolith::launch::pool_folder& folder) {
  std::ifstream file(folder.log_file());
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

/// Starts this program once more, as a head that no terminal has a hold on, and waits until it can be found.
inline void start_head(const corolith::launch::pool_folder& folder, std::vector<std::string> words) {
  auto claim = folder.claim();  // makes the folder
  if (!claim) refuse_second(folder);
  const corolith::unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const corolith::unique_fd log(
      ::open(folder.log_file().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!null || !log) throw corolith::launch_failed("cannot write " + folder.log_file());
  claim.reset();
  words.insert(words.begin(), {corolith::own_executable_path(), "pool", "up"});
  words.emplace_back("--foreground");
  pid_t head = 0;
  const int failure = corolith::process::spawn(head, corolith::own_executable, std::move(words),
                                               {null.get(), null.get(), log.get()}, corolith::process::apart::session);
  if (failure != 0) throw corolith::launch_failed(std::string("cannot start the head: ") + std::strerror(failure));
  for (;;) {
    if (const auto record = folder.read(); record && record->pid == head) return;
    int status = 0;
    if (::waitpid(head, &status, WNOHANG) == head) {
      const std::string said = tail_of_log(folder);
      if (!folder.is_claimed()) folder.remove(true);
      throw corolith::launch_failed(
          fmt::format("the head of the pool ended at once ({}): {}", corolith::describe_wait_status(status), said));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// Until the least number of nodes is up. What goes wrong with jobs on the way is said, and waited for.
inline void wait_for_nodes(const corolith::launch::pool_folder& folder) {
  std::string told;
  for (;;) {
    const corolith::wire::pool_status now = corolith::pool::ask_head(folder, {"show"});
    if (now.nodes.size() >= now.min_nodes) return;
    std::string text = now.trouble;
    for (const auto& job : now.jobs)
      if (!job.state.empty()) text = job.state;
    if (!text.empty() && text != std::exchange(told, text)) std::fprintf(stderr, "corolith: %s\n", text.c_str());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace tool
