// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {

/// What every launcher needs to know to make agents that find their driver.
struct request {
  std::vector<std::string>
      connect;                 ///< where the driver may be reached, as wire::address writes it; the likeliest first
  std::string secret_file;     ///< for TCP addresses: where the pool's secret is; empty for Unix sockets
  std::string session_folder;  ///< the driver's own 0700 folder: sockets and logs
  std::string cache_folder;    ///< where agents keep programs that came over the wire; empty: the agent's default
  std::string log_level;       ///< of the agents
  std::chrono::milliseconds rejoin = std::chrono::seconds(30);  ///< for agents to find a lost driver again; 0: never
  std::uint32_t agents = 1;
  std::uint32_t slots = 0;   ///< per agent; 0: the processors of the node divided among its agents
  std::uint32_t gpus = 0;    ///< per agent
  std::uint64_t memory = 0;  ///< bytes per agent; 0: what the node has, divided among its agents
  std::chrono::nanoseconds patience = std::chrono::seconds(60);  ///< with a unit that runs and has lost all its agents
  std::string role =
      "--corolith-agent";              ///< what the processes are to be: first argument of the program that is started
  std::vector<std::string> more = {};  ///< more arguments for them, "name=value"
  std::string name = {};               ///< of jobs; empty: after the program
};

/// What a driver has to do, for launchers whose agents are as many as that asks for.
struct demand {
  std::uint64_t open = 0;     ///< calls that have not ended
  std::uint64_t running = 0;  ///< of these, at agents
  std::int64_t mean_ns = 0;   ///< how long a call takes; 0: unknown
  std::uint32_t cpus = 1;     ///< of the largest call
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;
  std::vector<std::string> busy = {};  ///< tags of the agents that have calls

  friend bool operator==(const demand&, const demand&) = default;
};

/// A unit that ended although nobody asked it to.
struct unit_exit {
  std::uint32_t unit = 0;
  std::string reason;     ///< "local agent 2: exit status 3", "slurm job 12: TIMEOUT"
  std::string log_tail;   ///< the end of what its agents wrote to their standard error
  bool hopeless = false;  ///< starting it again would end in the same way
};

/// What holds up agents that are not there yet.
struct delay {
  std::string reason;      ///< "slurm job 12 is pending (Resources)"; empty when there is nothing to say
  bool of_others = false;  ///< a queue, say: it may take any time, and no timeout of ours runs meanwhile
};

/// Makes agents come to be, and go. Agents are started and started again in units: one local agent, one Slurm job of
/// several. All functions are called on one thread, which must live as long as the agents: where an agent is a child
/// process, the kernel ends it with the thread that started it. Only `start` and `kill` may block.
class launcher {
 public:
  virtual ~launcher() = default;
  /// Whether all its agents are on this machine; known before `start`. May throw launch_failed.
  virtual bool all_here() const { return false; }
  /// Starts all agents. Throws launch_failed.
  virtual void start(const request& what) = 0;
  /// How many units there are, with as many agents each. Known once `start` has returned.
  virtual std::uint32_t units() const = 0;
  virtual std::uint32_t agents_per_unit() const = 0;
  /// Starts a unit again after it ended. Throws launch_failed.
  virtual void restart(std::uint32_t unit) = 0;
  /// The units that ended since the last call. To be called several times a second: this is what drives the launcher on.
  virtual std::vector<unit_exit> ended() = 0;
  /// Tells the launcher how many agents are connected just now.
  virtual void connected(std::uint32_t agents) { static_cast<void>(agents); }
  virtual delay delayed_by() const { return {}; }

  /// Whether agents come and go as others decide, so that `units` says nothing of their number. What follows is for
  /// such launchers.
  virtual bool elastic() const { return false; }
  /// To be called several times a second.
  virtual void wanted(const demand& what) { static_cast<void>(what); }
  /// Tags of agents that are to get no more calls, and to be told to go when they are idle; each once.
  virtual std::vector<std::string> to_drain() { return {}; }
  /// The agent of this tag cannot run the program.
  virtual void gave_up(const std::string& tag, const std::string& reason) {
    static_cast<void>(tag);
    static_cast<void>(reason);
  }
  /// Whether what is too large for the agents of today will be so for good.
  virtual bool none_larger() const { return false; }

  /// The agents that are connected have been told to go; the launcher sees to those that are still to come.
  virtual void stop() {}
  /// Whether all is gone that was started.
  virtual bool all_gone() = 0;
  /// Ends what is left, at once, and waits for it.
  virtual void kill() noexcept = 0;
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith
