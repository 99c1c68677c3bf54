// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/slots.hpp>
#include <corolith/core/bytes.hpp>
#include <corolith/core/call_stats.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/messages.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

using worker_number = std::uint64_t;
using steady_time = std::chrono::steady_clock::time_point;
using nanoseconds = std::chrono::nanoseconds;

/// Workers of one kind can run each other's calls.
struct worker_kind {
  std::vector<std::string> environment;
  std::uint32_t cpus = 1;
  std::uint32_t gpus = 0;
  bool alone = true;  ///< a process of its own, not a thread in that of others of its kind

  friend bool operator==(const worker_kind&, const worker_kind&) = default;
};

/// How a worker ended, or the process in which it was a thread.
struct worker_death {
  int signal = 0;
  int exit_status = 0;
  std::optional<call_id> running;  ///< what it ran at that moment, as it wrote down itself
  bool bystander = false;          ///< another worker in the same process is to blame: none of its calls is
};

/// What the dispatcher asks for. Nothing here may call back into the dispatcher.
class dispatch_actions {
 public:
  virtual ~dispatch_actions() = default;
  virtual void start_worker(worker_number worker, const worker_kind& kind, const slot_share& share) = 0;
  virtual void stop_worker(worker_number worker) = 0;  ///< it is idle: ask it to exit
  virtual void kill_worker(worker_number worker) = 0;  ///< its whole process group, at once
  virtual void send(worker_number worker, wire::message_type type, const shared_bytes& body) = 0;
  virtual void watch_memory(worker_number worker, std::uint64_t limit) = 0;  ///< 0: not any more
  virtual void tell_driver(wire::message_type type, const call_id& id) = 0;  ///< returned or started
  /// The call ended without a result from a worker. `worker` and `death` are there when it had come that far.
  virtual void fail(const call_id& id, wire::outcome_kind kind, std::string_view why, worker_number worker,
                    const worker_death* death) = 0;
  /// No worker of the program comes up on this node.
  virtual void give_up() = 0;
};

struct dispatch_settings {
  nanoseconds grace{std::chrono::seconds(2)};  ///< between a stop request and SIGKILL
  nanoseconds queue_target{
      std::chrono::milliseconds(2)};  ///< work that waits inside a worker, which holds results for half of it
  nanoseconds settle{
      std::chrono::milliseconds(2)};  ///< a call is long when it runs for this: report it, take back its queue
  std::size_t most_queued = 256;      ///< calls inside one worker
  std::size_t most_queued_bytes = 4U << 20U;
  int start_attempts = 3;  ///< workers of a kind that may die before they say hello
  bool threads = false;    ///< workers of a kind are threads of one process, where that is possible
};

/// Decides which call goes to which worker of a node and what to do when either misbehaves. A pure state machine: events in,
/// `dispatch_actions` out; the time is an argument. Not thread-safe.
class dispatcher {
 public:
  COROLITH_DECL dispatcher(dispatch_settings settings, node_capacity node, dispatch_actions& actions);

  /// Starts one plain worker for each slot.
  COROLITH_DECL void prestart(steady_time now);

  COROLITH_DECL void open_batch(const shared_bytes& body);
  COROLITH_DECL void close_batch(std::uint64_t batch);
  COROLITH_DECL void add_call(shared_bytes body);
  COROLITH_DECL void cancel(const call_id& id, steady_time now);
  COROLITH_DECL void cancel_all(steady_time now);
  COROLITH_DECL void recall(const call_id& id);

  COROLITH_DECL void worker_ready(worker_number worker, steady_time now);
  COROLITH_DECL void worker_gone(worker_number worker, const worker_death& death, steady_time now);

  /// A worker's result came. Says how the call ended, which may differ from what the worker says (a function that returned
  /// after its timeout); nothing when nobody waits for it.
  COROLITH_DECL std::optional<wire::outcome_kind> finished(worker_number worker, const wire::result_head& head,
                                                           steady_time now);
  COROLITH_DECL void returned(worker_number worker, const call_id& id, steady_time now);
  COROLITH_DECL void blocked(worker_number worker, const call_id& id, steady_time now);
  COROLITH_DECL void unblocked(worker_number worker, const call_id& id, steady_time now);
  /// The worker holds more memory than its limit: it will be killed.
  COROLITH_DECL void over_memory(worker_number worker);

  /// Hands out work; to be called at the end of a group of events.
  COROLITH_DECL void dispatch(steady_time now);
  /// Does what time asks for and says when to call again (time_point::max(): only after other events).
  COROLITH_DECL steady_time tick(steady_time now);

  /// The call that a worker runs as far as is known here; zeros when none.
  COROLITH_DECL call_id head_of(worker_number worker) const;
  std::size_t worker_count() const noexcept { return workers_.size(); }

 private:
  struct kind_state;

  struct batch {
    shared_bytes body;  // as it came: relayed to workers
    wire::call_limits limits;
    kind_state* kind = nullptr;
    double average_ns = -1;  // of its calls; negative: not known yet
    std::size_t calls = 0;   // here and not ended
    bool closed = false;
    std::uint64_t id = 0;
  };

  struct entry {
    call_id id;
    shared_bytes body;
    batch* of = nullptr;
    std::uint64_t arrival = 0;
    steady_time stop_asked{};
    std::optional<wire::outcome_kind> verdict;  // how it will end once it ends: cancelled, timeout, memory
    bool recalled = false;
    bool for_driver = false;  // the driver wants it back
    int losses = 0;           // workers that died under it before it ran
  };

  enum class phase { starting, ready, stopping };

  struct worker {
    worker_number number = 0;
    kind_state* kind = nullptr;
    slot_share share;
    phase at = phase::starting;
    bool holds_share = true;
    bool is_blocked = false;
    bool head_reported = false;
    std::deque<entry> queue;  // front: what it runs
    std::size_t queued_bytes = 0;
    std::vector<std::uint64_t> opened;
    std::uint64_t memory = 0;
    std::uint64_t watched = 0;
    steady_time head_since{};
    steady_time deadline = steady_time::max();  // of the head
    steady_time kill_at = steady_time::max();
    steady_time idle_since{};
  };

  struct kind_state {
    worker_kind kind;
    std::vector<worker*> workers;
    std::deque<entry> pending;
    int failed_starts = 0;
    std::size_t starting = 0;
  };

  COROLITH_DECL kind_state& kind_of(const wire::call_limits& limits);
  COROLITH_DECL batch* find_batch(std::uint64_t id);
  COROLITH_DECL worker* find_worker(worker_number number);
  COROLITH_DECL std::size_t depth(const batch& of) const;
  COROLITH_DECL bool may_take(const worker& candidate, const batch& of) const;
  COROLITH_DECL bool place(kind_state& kind, steady_time now);
  COROLITH_DECL bool start_for(kind_state& kind, steady_time now);
  COROLITH_DECL bool evict_for(const kind_state& kind, steady_time now);
  COROLITH_DECL void start(kind_state& kind, const slot_share& share);
  COROLITH_DECL void give(worker& to, entry&& call, steady_time now);
  COROLITH_DECL bool set_memory(worker& of, std::uint64_t bytes);
  COROLITH_DECL void retire(worker& idle, steady_time now);
  COROLITH_DECL void head_changed(worker& of, steady_time now);
  COROLITH_DECL void became_idle(worker& of, steady_time now);
  COROLITH_DECL entry take_out(worker& of, std::size_t position, steady_time now);
  COROLITH_DECL void call_ended(batch& of);
  COROLITH_DECL void forget_batch(batch& of);
  COROLITH_DECL void recall_queue(worker& of);
  COROLITH_DECL void ask_to_stop(worker& of, entry& call, wire::outcome_kind verdict, steady_time now);
  COROLITH_DECL void hand_out(steady_time now);
  COROLITH_DECL void take_back(worker& of);
  COROLITH_DECL bool has_share(const kind_state& kind);
  COROLITH_DECL bool somebody_could_take(const kind_state& kind, const batch& of);
  COROLITH_DECL void start_again(kind_state& kind);
  COROLITH_DECL void start_failed(kind_state& kind);
  COROLITH_DECL void settle_losses(worker& of, const worker_death& death);
  COROLITH_DECL static void requeue(kind_state& kind, entry&& call);
  COROLITH_DECL steady_time tick_worker(worker& of, steady_time now);
  void wake_by(steady_time when) noexcept {
    if (when < next_tick_) next_tick_ = when;
  }

  dispatch_settings settings_;
  slots slots_;
  dispatch_actions& actions_;
  std::list<kind_state> kinds_;  // stable addresses
  std::unordered_map<std::uint64_t, std::unique_ptr<batch>> batches_;
  batch* last_batch_ = nullptr;
  std::unordered_map<worker_number, std::unique_ptr<worker>> workers_;
  worker* last_worker_ = nullptr;
  worker_number next_worker_ = 1;
  std::uint64_t next_arrival_ = 0;
  std::size_t pending_ = 0;
  bool any_worker_came_up_ = false;
  steady_time next_tick_ = steady_time::max();
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/dispatch.ipp>
#endif
