// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/dispatch.hpp>
#include <corolith/agent/detail/driver_search.hpp>
#include <corolith/agent/detail/program_fetch.hpp>
#include <corolith/agent/detail/worker_link.hpp>
#include <corolith/agent/options.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/secret.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <signal.h>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// How a service to a driver ended.
struct session_end {
  int status = 0;                     ///< for the process to exit with, if that was all
  std::size_t place = 0;              ///< which address the driver was at
  bool was_ready = false;             ///< calls could run
  std::chrono::milliseconds hope{0};  ///< how long it makes sense to look for the same driver again
};

/// One connection's service to a driver: routes messages between the driver's connection, the dispatcher and the
/// workers. All that it knows ends with it.
class session final : public dispatch_actions, public worker_events {
 public:
  COROLITH_DECL session(agent_options options, std::vector<wire::address> places, std::optional<wire::secret> secret);
  /// Until the end. Signals that end an agent are blocked before and after.
  COROLITH_DECL session_end run(const search_settings& search);

  /// SIGTERM, SIGINT, SIGHUP and the parent's death.
  COROLITH_DECL static sigset_t ending_signals() noexcept;

 private:
  // the driver's connection
  COROLITH_DECL void connect(const search_settings& search);
  COROLITH_DECL void on_connected(std::shared_ptr<wire::channel> channel);
  COROLITH_DECL void on_driver_message(wire::message&& got);
  COROLITH_DECL void on_work_message(wire::message&& got);
  COROLITH_DECL void on_welcome(const wire::welcome& welcome);
  COROLITH_DECL void fetch_program();
  COROLITH_DECL void start_work();
  COROLITH_DECL void relay_down(const shared_bytes& body);
  COROLITH_DECL void on_driver_closed(const std::exception_ptr& reason);
  COROLITH_DECL void shut_down();
  COROLITH_DECL void shut_down_if_idle();
  COROLITH_DECL void end(int status) noexcept;
  COROLITH_DECL void fail_agent(const std::string& reason);

  // dispatch_actions
  COROLITH_DECL void start_worker(worker_number worker, const worker_kind& kind, const slot_share& share) override;
  COROLITH_DECL void stop_worker(worker_number worker) override;
  COROLITH_DECL void kill_worker(worker_number worker) override;
  COROLITH_DECL void send(worker_number worker, wire::message_type type, const shared_bytes& body) override;
  COROLITH_DECL void watch_memory(worker_number worker, std::uint64_t limit) override;
  COROLITH_DECL void tell_driver(wire::message_type type, const call_id& id) override;
  COROLITH_DECL void fail(const call_id& id, wire::outcome_kind kind, std::string_view why, worker_number worker,
                          const worker_death* death) override;
  COROLITH_DECL void give_up() override;

  // worker_events
  COROLITH_DECL void on_worker_message(worker_link& from, wire::message&& got) override;
  COROLITH_DECL void on_worker_batch_end(worker_link& from) override;
  COROLITH_DECL void on_worker_line(worker_host& from, std::uint8_t stream, std::string&& line) override;
  COROLITH_DECL void on_worker_gone(worker_link& from, const worker_death& how) override;
  COROLITH_DECL void on_workers_gone() override;
  COROLITH_DECL bool may_read_output() override;

  COROLITH_DECL void on_result(worker_link& from, const shared_bytes& body);
  COROLITH_DECL void send_failure(wire::result_head head, wire::failure what);
  COROLITH_DECL std::vector<std::string> environment_of(const worker_kind& kind, const slot_share& share) const;
  COROLITH_DECL std::shared_ptr<worker_host> host_for(const worker_kind& kind, const slot_share& share,
                                                      const worker_link& first);
  COROLITH_DECL std::string stderr_tail_of(const worker_link& worker, const call_id& id) const;
  COROLITH_DECL worker_link* find(worker_number worker);
  COROLITH_DECL void flush_later(worker_link& worker);
  COROLITH_DECL void end_of_turn();
  COROLITH_DECL void arm_tick();
  COROLITH_DECL void arm_memory_watch();
  COROLITH_DECL void arm_give_back();
  COROLITH_DECL void slow_down_workers();
  COROLITH_DECL void on_drained();
  COROLITH_DECL void wait_for_signals();

  agent_options options_;
  std::vector<wire::address> places_;
  std::optional<wire::secret> secret_;
  asio::io_context io_;
  asio::signal_set signals_;
  asio::steady_timer tick_timer_, memory_timer_, segments_timer_, wait_timer_;
  std::shared_ptr<driver_search> search_;
  std::shared_ptr<wire::channel> driver_;
  wire::welcome welcome_;
  std::optional<program_fetch> program_;
  std::optional<dispatcher> dispatcher_;
  std::unordered_map<worker_number, std::shared_ptr<worker_link>> workers_;
  worker_link* last_worker_ = nullptr;
  std::vector<std::pair<worker_kind, std::weak_ptr<worker_host>>> shared_hosts_;  // whose slots are threads
  std::vector<worker_link*> to_flush_;
  steady_time tick_at_ = steady_time::max();
  std::string last_death_;  // what a worker that did not come up wrote
  std::uint32_t slot_counter_ = 0;
  bool memory_watch_armed_ = false;
  bool gives_back_ = false;
  bool workers_paused_ = false;
  bool shutting_down_ = false;
  bool ended_ = false;
  session_end end_;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/session.ipp>
#endif
