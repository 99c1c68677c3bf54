// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/call_stats.hpp>

#include <cstdint>

namespace corolith::inline v0::schedule {

/// Names one connection of one agent. An agent that comes back is a new agent with a new id; ids are never used again.
using agent_id = std::uint64_t;
/// Names one batch. Ids are never used again.
using batch_id = std::uint64_t;

/// What a call needs or an agent has. `cpus` of a call counts at least 1. An agent with `memory` 0 has not said how
/// much it has and takes calls of any memory; a call with `memory` 0 takes none. Memory is in bytes.
struct resources {
  std::uint32_t cpus = 1;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;

  friend bool operator==(const resources&, const resources&) = default;
};

/// How the calls of one batch are to be run.
struct batch_options {
  resources need{};           ///< of each call while it runs
  std::uint32_t retries = 0;  ///< executions after the first that an exception, a timeout or a memory limit may cost
  std::uint32_t chunk = 0;    ///< calls given to a slot at once; 0 = found from how long the calls take
  bool exclusive_dispatch = false;  ///< never send a call before a slot is free for it (calls with a timeout)
  std::uint32_t priority = 1;  ///< share of the cpus relative to other batches: 2 gets twice what 1 gets; 0 counts as 1
  std::uint64_t function = 0;  ///< batches of one function learn from each other how long its calls take; 0 = from none
};

/// What applies to all batches.
struct settings {
  std::uint32_t input_window = 8192;        ///< elements of a batch pulled and not yet consumed; grows with the agents
  std::uint32_t poison_after = 3;           ///< workers that a call may kill before it fails as poison
  std::uint32_t max_depth = 256;            ///< calls sent to a slot at most, with the running one
  std::int64_t queued_work_ns = 2'000'000;  ///< work that should wait at each slot, so that it is never idle
  /// Calls that take longer than this are long: one is sent ahead to each slot, as long as no calls of another kind wait.
  std::int64_t long_call_ns = 20'000'000;
  std::uint64_t most_ahead_bytes = 4U << 20U;  ///< long calls with larger elements are sent to free slots only
  std::int64_t recall_after_ns =
      10'000'000;  ///< an agent silent for so long gives back what it has not started, if others idle
  std::int64_t first_rest_ns = 100'000'000;      ///< pause of an agent that keeps losing workers; doubles each time
  std::int64_t longest_rest_ns = 5'000'000'000;  ///< limit of that pause
};

/// How an attempt ended. The values are those that travel in a result.
enum class outcome_kind : std::uint8_t {
  value,             ///< the function returned
  exception,         ///< it threw
  timeout,           ///< it ran longer than its limit
  memory,            ///< it used more memory than its limit
  worker_lost,       ///< the process that ran it died
  cancelled,         ///< it was cancelled
  unknown_function,  ///< the worker's program does not have it
  codec,             ///< its arguments or its result could not be decoded or encoded
};

/// What to do with the outcome that was just reported.
enum class verdict : std::uint8_t {
  deliver,  ///< give this outcome to the future: the call has ended
  retry,    ///< drop it and keep the element: the call is sent again later, with a greater attempt number
  stale,    ///< drop it: an older attempt, a second report, or a call that has ended
  failed,   ///< the call ends with a `fail` command, which is already queued; this outcome is why, keep it if it is to
            ///< be shown
};

/// Why a call ended without an outcome of its own.
enum class fail_reason : std::uint8_t {
  none,
  cancelled,   ///< somebody cancelled it
  poison,      ///< it killed `settings::poison_after` workers
  cannot_fit,  ///< no agent is large enough and none will come
};

/// What the driver has to do.
enum class command_kind : std::uint8_t {
  want_input,   ///< pull `count` more elements of `id.batch`, then say input_available (also in parts) or input_ended
  open_batch,   ///< tell `agent` about `id.batch`; comes before the first send of the batch to it
  close_batch,  ///< tell `agent` that no more calls of `id.batch` follow
  send,         ///< send call `id` to `agent`
  cancel,       ///< tell `agent` to stop call `id`
  recall,       ///< ask `agent` to give `id` back if it has not started: answered by `returned`, or by the outcome
  fail,         ///< call `id` has ended because of `reason`
  batch_done,   ///< every call of `id.batch` has ended and there will be no more
};

/// One thing for the driver to do. Fields that a kind does not name are zero.
struct command {
  command_kind kind{};
  fail_reason reason = fail_reason::none;
  std::uint32_t count = 0;
  agent_id agent = 0;
  call_id id;
};

/// Where the calls of a batch are.
struct batch_counts {
  std::uint64_t input = 0;    ///< elements pulled so far
  std::uint64_t waiting = 0;  ///< pulled and not at an agent
  std::uint64_t sent = 0;     ///< at an agent: queued, running or blocked
  std::uint64_t ended = 0;    ///< delivered or failed
};

/// How full an agent is.
struct agent_load {
  std::uint32_t calls = 0;     ///< sent and not ended
  std::uint32_t blocked = 0;   ///< of these, how many wait for nested calls
  double cpus = 0;             ///< cpus of its window that are taken, queued calls in proportion
  std::int64_t idle_cpus = 0;  ///< cpus that no sent call will use; negative when calls queue
};

}  // namespace corolith::inline v0::schedule
