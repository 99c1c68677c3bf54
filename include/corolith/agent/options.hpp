// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {

/// How an agent is set up. On a command line each is `name=value`; a list is separated by commas.
struct agent_options {
  std::string connect;                    ///< the driver's addresses: "unix:/path" or "tcp:host:port"; tried in turn
  std::string secret_file;                ///< needed for TCP; "-" is standard input
  std::uint64_t connect_timeout = 60000;  ///< milliseconds for finding the driver
  std::uint64_t rejoin =
      30000;                ///< milliseconds for finding it again, as a new agent, when the network lost it; 0: never
  std::string environment;  ///< "slurm": what is left open here comes from Slurm's variables; empty: from this machine
  std::string node_name;    ///< empty: the host's name
  std::uint32_t slots = 0;  ///< 0: one for each processor that this process may use
  std::vector<int> cpu_list;  ///< pin workers to these; empty, or fewer than `slots`: no pinning
  std::uint64_t memory = 0;   ///< bytes that calls may ask for together; 0: not counted
  std::uint32_t gpus = 0;
  std::string launch_tag;       ///< given back to the driver in agent_hello
  std::string cache_folder;     ///< for programs that come over the wire; empty: see program_cache
  std::int32_t parent_pid = 0;  ///< of a driver on this machine that started the agent: die with it
  std::string log_level;        ///< empty: as it is
  std::string job;              ///< of a resident: which job of its pool it belongs to
};

}  // namespace agent
}  // namespace v0
}  // namespace corolith
