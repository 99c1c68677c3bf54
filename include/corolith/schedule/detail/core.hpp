// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/schedule/detail/capacity_tree.hpp>
#include <corolith/schedule/detail/records.hpp>
#include <corolith/schedule/types.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace corolith::inline v0::schedule::detail {

/// The scheduler's data and its bookkeeping. `scheduler` turns events into calls of these members.
///
/// Batches are grouped by shape (what a call needs, and its depth). Sending takes, again and again, the batch with the
/// least share among the shapes that fit somewhere, finds an agent in the capacity tree, and sends it a run of calls.
/// So one event costs O(log agents + log batches + shapes), however many there are.
struct core {
  settings config;
  slot_map batch_slots, agent_slots;
  std::vector<std::unique_ptr<batch_record>> batches;
  std::vector<agent_record> agents;
  std::vector<shape_record> shapes;
  std::vector<std::uint32_t> free_batches, free_agents;
  page_pool pages;
  capacity_tree tree;
  std::vector<std::uint32_t> dirty_agents, touched_batches;
  std::vector<std::uint32_t> parked;  // batches that stand aside until the end of the round
  slot_map learnt_slots;              // by batch_options::function
  std::vector<duration_estimate> learnt;
  std::vector<command> queued, taken;
  std::int64_t now = 0;
  std::uint64_t served = 0;
  std::uint64_t total_cpus = 0;
  std::uint64_t total_sent = 0;
  std::uint32_t live_shapes = 0;
  std::uint32_t total_ahead = 0;
  std::int64_t coming_back = 0;  // cpus of calls that were recalled, and of which nothing was heard since
  std::uint32_t reserved_shape = no_slot;
  std::uint32_t reserved_agent = no_slot;
  bool ticked = false;  // since commands were taken
  bool final = false;

  // looking up
  batch_record* find_batch(batch_id id) noexcept {
    const std::uint32_t slot = batch_slots.find(id);
    return slot == no_slot ? nullptr : batches[slot].get();
  }
  struct located {
    batch_record* batch = nullptr;
    agent_record* agent = nullptr;
    call_record* call = nullptr;  // nullptr unless exactly this attempt is at this agent
    explicit operator bool() const noexcept { return call != nullptr; }
  };
  COROLITH_DECL located locate(agent_id agent, const call_id& id) noexcept;

  // batches: impl/batches.ipp
  COROLITH_DECL void add_batch(batch_id id, const batch_options& options);
  COROLITH_DECL void enter_shape(batch_record& batch);
  COROLITH_DECL void leave_shape(batch_record& batch);
  COROLITH_DECL void update_depth(batch_record& batch);
  COROLITH_DECL void rank(batch_record& batch);
  COROLITH_DECL void touch(batch_record& batch);
  COROLITH_DECL void settle_touched();
  COROLITH_DECL void want_input(batch_record& batch);
  COROLITH_DECL void finish_batch(batch_record& batch);
  COROLITH_DECL void forget(batch_record& batch);

  // calls: impl/batches.ipp
  COROLITH_DECL void release(agent_record& agent, batch_record& batch, call_record& call);
  COROLITH_DECL void note_start(agent_record& agent, const batch_record& batch, call_record& call);
  COROLITH_DECL void requeue(batch_record& batch, std::uint32_t index, call_record& call);
  COROLITH_DECL void end(batch_record& batch, std::uint32_t index);
  COROLITH_DECL void fail(batch_record& batch, std::uint32_t index, const call_record& call, fail_reason reason);
  COROLITH_DECL void cancel(batch_record& batch, std::uint32_t index, call_record& call);
  COROLITH_DECL void cancel_all(batch_record& batch);
  charge cost_of(const batch_record& batch, std::uint32_t depth) const noexcept {
    return depth == batch.depth ? batch.cost : charge_of(batch.options.need, depth);
  }

  // agents: impl/agents.ipp
  COROLITH_DECL void add_agent(agent_id id, const resources& total);
  COROLITH_DECL void remove_agent(std::uint32_t slot);
  COROLITH_DECL void drain_agent(agent_record& agent);
  COROLITH_DECL void count_fitting(const resources& total, bool more);
  COROLITH_DECL void judge_agent(agent_record& agent, outcome_kind kind);
  COROLITH_DECL void wake(agent_record& agent, bool on_trial);
  COROLITH_DECL void wake_if_none_healthy();
  COROLITH_DECL bool other_healthy(const agent_record* than) const noexcept;
  COROLITH_DECL void mark_dirty(agent_record& agent);
  COROLITH_DECL void refresh(std::uint32_t slot);
  COROLITH_DECL void refresh_dirty();
  COROLITH_DECL void pass_time(std::int64_t now_ns);

  // sending ahead and taking back: impl/recall.ipp
  enum class recallable : std::uint8_t { any, ahead };
  COROLITH_DECL static void count_lasting(agent_record& agent, const batch_record& batch, const call_record& call,
                                          bool more) noexcept;
  COROLITH_DECL void count_ahead(agent_record& agent, call_record& call, bool ahead) noexcept;
  COROLITH_DECL static bool would_wait(const agent_record& agent, const batch_record& batch) noexcept;
  COROLITH_DECL static bool could_start(const agent_record& agent, const batch_record& batch) noexcept;
  COROLITH_DECL static bool waits(const agent_record& agent, const batch_record& batch) noexcept;
  COROLITH_DECL static bool was_taken_back(batch_record& batch) noexcept;
  COROLITH_DECL bool holds_back(batch_record& batch, const agent_record& agent) const noexcept;
  COROLITH_DECL void recall_queued();
  COROLITH_DECL void recall_ahead();
  COROLITH_DECL void make_way();
  COROLITH_DECL std::int64_t idle_cpus() const noexcept;
  COROLITH_DECL std::int64_t recall_from(std::uint32_t slot, std::int64_t cpus, recallable which);
  COROLITH_DECL std::int64_t recall_of(batch_record& batch, std::uint32_t slot, std::int64_t cpus, recallable which);

  // sending: impl/dispatch.ipp
  COROLITH_DECL void dispatch();
  COROLITH_DECL void fail_unfittable();
  COROLITH_DECL std::uint32_t best_shape(bool also_skipped) const noexcept;
  COROLITH_DECL std::uint32_t pick_agent(std::uint32_t shape, std::uint32_t other_than = no_slot) const noexcept;
  COROLITH_DECL std::uint32_t pick_other_agent(std::uint32_t shape, std::uint32_t than);
  COROLITH_DECL bool has_room(std::uint32_t shape, const agent_record& agent) const noexcept;
  COROLITH_DECL bool only_avoiding(batch_record& batch, std::uint32_t slot) noexcept;
  COROLITH_DECL std::uint32_t run_length(const shape_record& shape, const batch_record& batch,
                                         const agent_record& agent) const;
  COROLITH_DECL void send_run(std::uint32_t shape, std::uint32_t agent);
  COROLITH_DECL std::uint32_t next_call(batch_record& batch, std::uint32_t agent);
  COROLITH_DECL void reserve();
  COROLITH_DECL void unreserve();
  COROLITH_DECL std::uint32_t choose_reserved(std::uint32_t top) const noexcept;
};

}  // namespace corolith::inline v0::schedule::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/schedule/impl/agents.ipp>
#include <corolith/schedule/impl/batches.ipp>
#include <corolith/schedule/impl/dispatch.ipp>
#include <corolith/schedule/impl/recall.ipp>
#endif
