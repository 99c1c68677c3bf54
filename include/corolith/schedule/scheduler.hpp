// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/schedule/types.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace corolith::inline v0::schedule {

namespace detail {
struct core;
}

/// Decides which call runs where and when. A pure state machine: the driver reports events, then does what
/// take_commands() says. No I/O, no clock (times come with events), no threads: all members from one thread at a time.
///
/// @par The life of a call
/// Element i of a batch is call {batch, i}; indices count from 0 in the order of input. The driver keeps the encoded
/// element from `input_available` until the call ends. The call ends exactly once: with verdict `deliver`, or with a
/// `fail` command. Attempt numbers start at 1 and grow with each `send`, so a call sent twice is told from itself.
///
/// @par Order
/// - `batch_added` first, with an id never used before. `want_input` commands then say how many elements to pull. The
/// driver
///   may answer one `want_input` with several `input_available`, and may offer elements unasked.
/// - `agent_joined` before other events of that agent; after `agent_lost` its events are ignored (finished answers
/// `stale`).
/// - Any number of events may come between two take_commands(); nothing is decided about sending until it is called, so
/// the
///   more events it follows, the longer the runs of `send` it gives.
/// - Commands are to be done in their order. `open_batch` to an agent comes before its first `send` of the batch,
/// `close_batch`
///   after its last outcome. `batch_done` is the last command of a batch; `batch_removed` then forgets it.
/// - Events that came before take_commands() may have overtaken a queued command: `cancel` and `recall` may name a call
/// that
///   has ended or an agent that was lost, and `fail` a batch that was removed. Such a command is to be passed over (an
///   agent that gets it passes it over too).
///
/// @par What costs what
/// - exception, timeout, memory: one of `batch_options::retries`; none left: `deliver`.
/// - worker_lost: no retry. It counts against the call: at `settings::poison_after` of them verdict `failed` and
/// `fail{poison}`.
/// - returned, agent_lost: nothing. The calls go back to the front of their batch.
/// - unknown_function, codec: `deliver` at once.
/// - An agent that loses worker after worker without one success rests for a while, if there is another agent.
///
/// @par Cancelling
/// A call that was not sent fails at once with `cancelled`. One that was sent gives a `cancel` command, and ends with
/// whatever outcome comes: `deliver` for all kinds but cancelled and worker_lost, which give verdict `failed` and
/// `fail{cancelled}`. It is never sent again.
///
/// Events that name an unknown batch, agent or call are ignored.
class scheduler {
 public:
  COROLITH_DECL explicit scheduler(const settings& config = {});
  COROLITH_DECL ~scheduler();
  COROLITH_DECL scheduler(scheduler&&) noexcept;
  COROLITH_DECL scheduler& operator=(scheduler&&) noexcept;

  /// An agent is ready for calls.
  COROLITH_DECL void agent_joined(agent_id agent, const resources& total);
  /// The connection to an agent ended, whatever the reason. Its calls run elsewhere, at no cost to them.
  COROLITH_DECL void agent_lost(agent_id agent);
  /// The agent is to get no more calls (it will stop soon): what it has not started is recalled, what runs may end.
  COROLITH_DECL void agent_draining(agent_id agent);
  /// Whether all agents that will ever come have come. While true, calls that fit no agent fail with `cannot_fit`.
  COROLITH_DECL void capacity_final(bool final);

  /// A batch begins.
  COROLITH_DECL void batch_added(batch_id batch, const batch_options& options);
  /// `count` more elements are there, the largest of `largest_bytes`. Returns how many were accepted: all, or none if the
  /// batch is unknown, its input ended or it was cancelled (the driver drops the elements then; they have no calls).
  COROLITH_DECL std::uint32_t input_available(batch_id batch, std::uint32_t count, std::uint64_t largest_bytes = 0);
  /// The next `count` elements have ended before they began: no calls are made of them, and later ones keep their indices. The driver
  /// says so before the first `input_available` behind them; they do not count as an answer to `want_input`.
  COROLITH_DECL void input_skipped(batch_id batch, std::uint32_t count);
  /// There are no more elements. A batch without this never ends.
  COROLITH_DECL void input_ended(batch_id batch);
  /// The user took `count` results (values or failures), so as many elements may be pulled. A driver that needs no
  /// backpressure says so for each call that ends.
  COROLITH_DECL void consumed(batch_id batch, std::uint32_t count);
  /// The driver wants to hear no more of the batch. Calls still at agents are cancelled without a `fail`.
  COROLITH_DECL void batch_removed(batch_id batch);

  /// The call has been running for a while (2 ms). Optional: it protects the call from a useless recall.
  COROLITH_DECL void started(agent_id agent, const call_id& id);
  /// An attempt ended. `duration_ns` is how long it ran, on the agent's clock; `now_ns` is any steady clock, the same
  /// in all events.
  COROLITH_DECL verdict finished(agent_id agent, const call_id& id, outcome_kind kind, std::int64_t duration_ns,
                                 std::int64_t now_ns);
  /// The agent gives a call back that it has not started.
  COROLITH_DECL void returned(agent_id agent, const call_id& id);
  /// The call waits for nested calls: what it needs is free for others meanwhile.
  COROLITH_DECL void blocked(agent_id agent, const call_id& id);
  /// The call goes on. Its agent may be over-committed until others end.
  COROLITH_DECL void unblocked(agent_id agent, const call_id& id);

  COROLITH_DECL void cancel_call(batch_id batch, std::uint32_t index);
  /// Cancels all calls and ends the input.
  COROLITH_DECL void cancel_batch(batch_id batch);

  /// Time has passed. Every 10 ms or so while wants_tick().
  COROLITH_DECL void tick(std::int64_t now_ns);
  /// Whether time alone may change something.
  COROLITH_DECL bool wants_tick() const;

  /// Decides, and hands out what is to be done, oldest first. The driver may read and move from the vector until the
  /// next call of take_commands(), which reuses it.
  COROLITH_DECL std::vector<command>& take_commands();

  /// Zeros when the batch is unknown.
  COROLITH_DECL batch_counts counts(batch_id batch) const;
  /// Zeros when the agent is unknown.
  COROLITH_DECL agent_load load(agent_id agent) const;

 private:
  std::unique_ptr<detail::core> core_;
};

}  // namespace corolith::inline v0::schedule

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/schedule/impl/scheduler.ipp>
#endif
