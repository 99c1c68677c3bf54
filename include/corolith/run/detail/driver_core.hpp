// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/launch/launcher.hpp>
#include <corolith/observe/console.hpp>
#include <corolith/observe/progress.hpp>
#include <corolith/run/detail/agent_session.hpp>
#include <corolith/run/detail/batch_table.hpp>
#include <corolith/run/detail/output_sink.hpp>
#include <corolith/run/detail/turn_clock.hpp>
#include <corolith/run/options.hpp>
#include <corolith/schedule/scheduler.hpp>
#include <corolith/wire/listener.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The driver proper: agents, batches and the scheduler. Everything here runs on the driver's I/O thread; `driver` is the door
/// to it for other threads.
class driver_core : public std::enable_shared_from_this<driver_core> {
 public:
  COROLITH_DECL driver_core(asio::io_context& io, options settings, std::string session_folder,
                            std::atomic<std::uint64_t>& next_batch, std::vector<std::string> worker_environment);

  /// Listens and launches.
  COROLITH_DECL void start();
  COROLITH_DECL void open(std::uint64_t batch, std::shared_ptr<batch_link> link, batch_request request);
  COROLITH_DECL void feed(std::uint64_t batch, element_block block, bool last);
  COROLITH_DECL void consumed(std::uint64_t batch, std::uint32_t count);
  COROLITH_DECL void cancel(std::uint64_t batch, std::optional<std::uint32_t> index);
  COROLITH_DECL void cancel_all();
  /// Does what the scheduler decides after the events so far.
  COROLITH_DECL void pump();
  /// Ends every open call with `reason`, tells the agents to go and calls `gone` when they have.
  COROLITH_DECL void shut_down(std::exception_ptr reason, std::function<void()> gone);

 private:
  using clock = std::chrono::steady_clock;

  // agents: impl/driver_agents.ipp
  COROLITH_DECL void accepted(std::shared_ptr<wire::channel> channel);
  COROLITH_DECL void received(agent_session& session, wire::message&& message);
  COROLITH_DECL void greet(agent_session& session, const wire::message& message);
  COROLITH_DECL void send_module(agent_session& session, const wire::message& message);
  COROLITH_DECL void agent_ready(agent_session& session);
  COROLITH_DECL void agent_gave_up(agent_session& session, const std::string& reason);
  COROLITH_DECL void disconnected(schedule::agent_id id, std::exception_ptr reason);
  COROLITH_DECL void launch_agents();
  COROLITH_DECL void reap_units();
  COROLITH_DECL void unit_ended(const launch::unit_exit& exit);
  COROLITH_DECL void give_up_unit(std::uint32_t number, const std::string& reason);
  COROLITH_DECL void check_units(const std::string& reason);
  COROLITH_DECL void check_launch_timeout();
  COROLITH_DECL void tick();
  COROLITH_DECL progress_counts progress() const;
  COROLITH_DECL std::uint32_t ready_agents() const;
  COROLITH_DECL void update_capacity();

  // agents that come and go: impl/driver_leases.ipp
  COROLITH_DECL void mind_leases();
  COROLITH_DECL launch::demand demand_now();
  COROLITH_DECL void measure(const wire::result_head& head);
  COROLITH_DECL void drain(const std::string& tag);
  COROLITH_DECL void agent_refused(agent_session& session, const std::string& reason);

  // calls: impl/driver_calls.ipp
  COROLITH_DECL void result(agent_session& session, wire::message&& message);
  COROLITH_DECL void deliver_outcome(batch_entry& entry, call_outcome&& outcome);
  COROLITH_DECL void execute(const schedule::command& command);
  COROLITH_DECL void execute_send(const schedule::command& command);
  COROLITH_DECL void execute_fail(const schedule::command& command);
  COROLITH_DECL void settle_touched();
  COROLITH_DECL void abandon_all(std::exception_ptr reason);

  // calls made by calls: impl/driver_nested.ipp
  COROLITH_DECL void nested_up(agent_session& session, const wire::message& message);
  COROLITH_DECL void nested_opened(agent_session& session, std::uint64_t worker, byte_span body);
  COROLITH_DECL void nested_left(std::uint64_t batch);
  COROLITH_DECL void nested_gone(agent_session& session, std::optional<std::uint64_t> worker);

  asio::io_context& io_;
  options settings_;
  std::string session_folder_;
  std::atomic<std::uint64_t>& next_batch_;
  const std::vector<std::string> worker_environment_;
  schedule::scheduler scheduler_;
  std::unordered_map<std::uint64_t, batch_entry> batches_;
  std::vector<std::uint64_t> touched_;
  turn_clock clock_;
  std::uint64_t all_ended_ = 0;  // of all batches, nested ones and cancelled calls aside
  std::uint64_t all_failed_ = 0;
  std::map<call_id, call_outcome> last_losses_;  // the loss that made a call poison, until its `fail` comes
  std::unordered_map<schedule::agent_id, std::shared_ptr<agent_session>> sessions_;
  schedule::agent_id next_agent_ = 1;
  std::vector<wire::module_file> modules_;
  std::shared_ptr<wire::listener> listener_;
  std::unique_ptr<launch::launcher> launcher_;
  struct unit {  // what the launcher starts as one: a local agent, a job
    std::uint32_t launches_left = 0;
    std::uint32_t agents_given_up = 0;
    bool over = false;
  };
  std::vector<unit> units_;
  std::string last_trouble_;  // why the latest agent was given up
  asio::steady_timer timer_;
  clock::time_point launched_{};
  bool was_ready_ = false;                         // an agent has been ready at some time
  std::unordered_set<std::string> drained_early_;  // tags of agents that were asked back before they came
  double mean_call_ns_ = 0;                        // of late
  std::uint64_t measured_calls_ = 0;
  clock::time_point busy_since_{};  // calls have been open, and none has ended; zero: no
  std::exception_ptr failed_;
  std::function<void()> gone_;
  clock::time_point kill_at_{};
  std::shared_ptr<console> console_;
  std::shared_ptr<output_sink> output_;
  progress_meter progress_;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/driver_agents.ipp>
#include <corolith/run/impl/driver_calls.ipp>
#include <corolith/run/impl/driver_leases.ipp>
#include <corolith/run/impl/driver_nested.ipp>
#endif
