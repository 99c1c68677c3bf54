// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/command_gate.hpp>
#include <corolith/launch/guard.hpp>
#include <corolith/launch/launcher.hpp>
#include <corolith/launch/pool_record.hpp>
#include <corolith/pool/elasticity.hpp>
#include <corolith/pool/head_options.hpp>
#include <corolith/pool/leases.hpp>
#include <corolith/wire/listener.hpp>
#include <corolith/wire/pool_messages.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

using clock = std::chrono::steady_clock;

/// One launch of nodes.
struct job {
  std::uint64_t id = 0;
  std::string folder;
  std::unique_ptr<launch::launcher> launcher;
  std::uint32_t nodes = 1;
  clock::time_point started{};
  clock::time_point used{};  // last, or wanted while it was on its way
  clock::time_point kill_at = clock::time_point::max();
  clock::time_point awaited{};  // since then it has waited for nobody but itself
  bool was_up = false;          // all its nodes were
  bool ending = false;          // it gets nothing new, and goes when it is empty
  bool stopped = false;         // its residents were told to go
  std::string why;              // it ended by itself
};

/// A resident that has said hello.
struct node {
  std::uint64_t id = 0;
  std::uint64_t job = 0;  // 0: not one of ours
  std::shared_ptr<wire::channel> channel;
  wire::pool_resident hello;
  bool ending = false;
};

/// A driver that has joined.
struct member {
  std::uint64_t id = 0;
  std::shared_ptr<wire::channel> channel;
  wire::pool_join join;
  wire::pool_demand demand;
  clock::time_point idle_since{};              // it has had more than it could use; zero: it has not
  std::map<std::uint64_t, int> failed_starts;  // by node
  std::set<std::uint64_t> refused;             // nodes
  std::string refusal;                         // the latest
  shared_bytes news;                           // as last told
  std::uint64_t share = 0;
};

struct lease {
  std::uint64_t node = 0;
  std::uint64_t member = 0;
  grant what;
  bool draining = false;
  bool ending = false;  // its agent was told to end at once
  clock::time_point granted{};
};

/// The head. Everything runs on the thread of its loop.
class head_core {
 public:
  COROLITH_DECL explicit head_core(head_options settings);
  COROLITH_DECL int run(unique_fd claim);

 private:
  // its beginning and end, its time: impl/head_core.ipp
  COROLITH_DECL void begin();
  COROLITH_DECL void wait_for_signals();
  COROLITH_DECL void tick();
  COROLITH_DECL void go_down(const std::string& why);
  COROLITH_DECL void end_if_empty();

  // who connects: impl/head_peers.ipp
  COROLITH_DECL void accepted(std::shared_ptr<wire::channel> channel, wire::role as);
  COROLITH_DECL void closed(std::uint64_t id, const std::exception_ptr& reason);
  COROLITH_DECL void received(std::uint64_t id, wire::message&& got);
  COROLITH_DECL void resident_came(std::uint64_t id, wire::pool_resident hello);
  COROLITH_DECL void resident_gone(const node& gone);
  COROLITH_DECL void driver_came(std::uint64_t id, wire::pool_join join);
  COROLITH_DECL void driver_gone(std::uint64_t id);
  COROLITH_DECL void lease_ended(std::uint64_t id, const std::string& reason);
  COROLITH_DECL void lease_refused(std::uint64_t id, const std::string& reason);
  COROLITH_DECL void tell_news(member& to);
  COROLITH_DECL wire::pool_news news_for(const member& of) const;
  COROLITH_DECL void answer(std::uint64_t id, const wire::pool_ask& ask);
  COROLITH_DECL std::string obey(const std::vector<std::string>& words);
  COROLITH_DECL wire::pool_status status() const;

  // who gets what: impl/head_plan.ipp
  COROLITH_DECL void plan();
  COROLITH_DECL pool_state state_now();
  COROLITH_DECL void give(const grant& what);
  COROLITH_DECL void ask_back(std::uint64_t id);

  // jobs: impl/head_jobs.ipp
  COROLITH_DECL void mind_jobs();
  COROLITH_DECL void check_launch_timeout(job& of, std::uint32_t nodes);
  COROLITH_DECL void resize();
  COROLITH_DECL void start_job();
  COROLITH_DECL void stop_job(job& of);
  COROLITH_DECL void job_failed(job& of, const launch::unit_exit& how);
  COROLITH_DECL void remove_job(std::uint64_t id);
  COROLITH_DECL void back_off(const std::string& trouble);
  COROLITH_DECL std::uint32_t nodes_of(const job& of) const;
  COROLITH_DECL bool has_leases(const job& of) const;
  COROLITH_DECL elastic_load load_now() const;

  head_options settings_;
  launch::pool_folder folder_;
  asio::io_context io_{1};
  asio::signal_set signals_{io_};
  asio::steady_timer timer_{io_};
  std::shared_ptr<wire::listener> listener_;
  std::optional<launch::guard> guard_;
  launch::pool_record record_;
  std::shared_ptr<launch::command_gate> gate_;
  elasticity elasticity_;
  std::uint64_t last_id_ = 0;                                          // of anything
  std::map<std::uint64_t, std::shared_ptr<wire::channel>> strangers_;  // connected, and have not said what they are
  std::map<std::uint64_t, job> jobs_;
  std::map<std::uint64_t, node> nodes_;
  std::map<std::uint64_t, member> members_;
  std::map<std::uint64_t, lease> leases_;
  std::string trouble_;
  int failures_ = 0;                 // of jobs, one after the other
  clock::time_point start_again_{};  // not before
  bool draining_ = false;            // no new drivers; down when the last is gone
  bool down_ = false;
  int status_ = 0;
};

}  // namespace detail
}  // namespace pool
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/pool/impl/head_core.ipp>
#include <corolith/pool/impl/head_jobs.ipp>
#include <corolith/pool/impl/head_peers.ipp>
#include <corolith/pool/impl/head_plan.ipp>
#endif
