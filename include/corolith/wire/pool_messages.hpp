// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/wire/messages.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// What the head of a pool, its residents and its clients say to each other. A resident sits on a node and starts an
/// agent for each lease that the head grants to a driver; that agent then talks to the driver alone.
namespace corolith::inline v0::wire {

/// resident -> head, first message: what the node offers.
struct pool_resident {
  static constexpr message_type type = message_type::pool_resident;
  std::string host;
  std::int32_t pid = 0;
  std::uint32_t cpus = 0;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;  ///< bytes; 0: not counted
  std::string job;           ///< the head's number of the job that it was started by
};

/// head -> resident: start an agent for a driver.
struct pool_lease {
  static constexpr message_type type = message_type::pool_lease;
  std::uint64_t lease = 0;
  std::uint32_t slots = 1;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;
  std::string connect;  ///< the driver's addresses
  std::string secret;   ///< of the driver's run, 64 digits; empty where its address is a Unix socket
  std::int64_t rejoin_ms = 0;
  std::string cache_folder;
  std::string log_level;
};

/// head -> resident: that agent is to end now, with what it runs.
struct pool_lease_end {
  static constexpr message_type type = message_type::pool_lease_end;
  std::uint64_t lease = 0;
};

/// resident -> head: the agent of the lease is gone, or could not be started.
struct pool_lease_ended {
  static constexpr message_type type = message_type::pool_lease_ended;
  std::uint64_t lease = 0;
  std::string reason;
};

/// resident -> head: the time of this node is nearly over.
struct pool_ending {
  static constexpr message_type type = message_type::pool_ending;
  std::string reason;
};

/// driver -> head, first message: where agents may find the driver.
struct pool_join {
  static constexpr message_type type = message_type::pool_join;
  std::string program;
  std::string host;
  std::int32_t pid = 0;
  std::string connect;
  std::string secret;
  std::int64_t rejoin_ms = 0;
  std::string cache_folder;
  std::string log_level;
};

/// driver -> head, whenever it changes: what is to be done.
struct pool_demand {
  static constexpr message_type type = message_type::pool_demand;
  std::uint64_t open = 0;     ///< calls that have not ended
  std::uint64_t running = 0;  ///< of these, at agents
  std::int64_t mean_ns = 0;   ///< how long a call takes, as far as is known; 0: unknown
  std::uint32_t cpus = 1;     ///< of the largest call
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;
  std::vector<std::uint64_t> busy;  ///< leases whose agents have calls
};

/// driver -> head: the agent of this lease cannot run the driver's program.
struct pool_refused {
  static constexpr message_type type = message_type::pool_refused;
  std::uint64_t lease = 0;
  std::string reason;
};

/// head -> driver: send no more calls to the agent of this lease, take back what it has not started, and let it go
/// when it is idle.
struct pool_drain {
  static constexpr message_type type = message_type::pool_drain;
  std::uint64_t lease = 0;
};

/// head -> driver, whenever it changes.
struct pool_news {
  static constexpr message_type type = message_type::pool_news;
  std::string waiting_for;   ///< why there are no agents (yet); empty: nothing to say
  bool of_others = false;    ///< the wait is for a queue or for other drivers, and may take any time
  bool none_larger = false;  ///< what is too large for the agents of this driver is so for good
  std::string over;          ///< not empty: the pool has nothing for this driver any more, and why
};

/// command line -> head: "show", "scale MIN MAX", "drain", "down".
struct pool_ask {
  static constexpr message_type type = message_type::pool_ask;
  std::vector<std::string> words;
};

struct pool_node_status {
  std::string host;
  std::string job;
  std::uint32_t slots = 0;
  std::uint32_t leased = 0;
  bool ending = false;
};
struct pool_job_status {
  std::string id;
  std::string state;  ///< what its launcher says; empty: its nodes are up
  std::uint32_t nodes = 0;
  std::uint32_t up = 0;
};
struct pool_driver_status {
  std::string program;
  std::string host;
  std::int32_t pid = 0;
  std::uint64_t open = 0;
  std::uint64_t running = 0;
  std::uint64_t slots = 0;  ///< that it has
  std::uint64_t share = 0;  ///< that it may have now
  std::int64_t mean_ns = 0;
};
struct pool_status {
  std::string state;  ///< "up", "draining"
  std::uint32_t min_nodes = 0;
  std::uint32_t max_nodes = 0;
  std::string trouble;  ///< the last thing that went wrong with jobs, and what is done about it
  std::vector<pool_job_status> jobs;
  std::vector<pool_node_status> nodes;
  std::vector<pool_driver_status> drivers;
};

/// head -> command line.
struct pool_answer {
  static constexpr message_type type = message_type::pool_answer;
  std::string refusal;  ///< not empty: nothing was done, and why
  pool_status status;
};

}  // namespace corolith::inline v0::wire
