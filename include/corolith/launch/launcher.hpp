// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {

/// What every launcher needs to know to make agents that find their driver.
struct request {
  std::string connect;         ///< the driver's address, as wire::address writes it
  std::string secret_file;     ///< for TCP addresses: where the pool's secret is; empty for Unix sockets
  std::string session_folder;  ///< the driver's own 0700 folder: sockets and logs
  std::string cache_folder;    ///< where agents keep programs that came over the wire; empty: the agent's default
  std::string log_level;       ///< of the agents
  std::uint32_t agents = 1;
  std::uint32_t slots = 0;     ///< per agent; 0: the processors of the node divided among its agents
  std::uint32_t gpus = 0;      ///< per agent
  std::uint64_t memory = 0;    ///< bytes per agent; 0: what the node has, divided among its agents
};

/// An agent that ended although nobody asked it to.
struct agent_exit {
  std::uint32_t number = 0;  ///< which of the agents, from 0
  std::string reason;        ///< "exit status 3", "killed by signal 9 (SIGKILL)"
  std::string log_tail;      ///< the end of what it wrote to its standard error
};

/// Makes agents come to be, and go. All functions are called on one thread, which must live as long as the agents: where an
/// agent is a child process, the kernel ends it with the thread that started it.
class launcher {
 public:
  virtual ~launcher() = default;
  /// Starts all agents; returns at once. Throws launch_failed.
  virtual void start(const request& what) = 0;
  /// Starts agent `number` again after it ended.
  virtual void restart(std::uint32_t number) = 0;
  /// The agents that ended since the last call. Never blocks.
  virtual std::vector<agent_exit> ended() = 0;
  /// Whether all agents are gone. Never blocks.
  virtual bool all_gone() = 0;
  /// Ends what is left, at once, and waits for it.
  virtual void kill() noexcept = 0;
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith
