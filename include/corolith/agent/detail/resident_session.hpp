// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/driver_search.hpp>
#include <corolith/agent/options.hpp>
#include <corolith/agent/slots.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/pool_messages.hpp>
#include <corolith/wire/secret.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <sys/types.h>

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// The life of a resident: its connection to the head, and the agents that it started.
class resident_session {
 public:
  COROLITH_DECL resident_session(agent_options options, std::vector<wire::address> places,
                                 std::optional<wire::secret> secret);
  COROLITH_DECL int run();

 private:
  struct leased_agent {
    pid_t pid = 0;
    slot_share share;
    std::string why;  // it was asked to end
  };

  COROLITH_DECL void connect();
  COROLITH_DECL void on_connected(std::shared_ptr<wire::channel> channel);
  COROLITH_DECL void on_message(wire::message&& got);
  COROLITH_DECL void on_closed(const std::exception_ptr& reason);
  COROLITH_DECL void wait_for_signals();
  COROLITH_DECL void on_signal(int number);
  COROLITH_DECL void start_agent(const wire::pool_lease& lease);
  COROLITH_DECL std::vector<std::string> arguments_of(const wire::pool_lease& lease, const slot_share& share) const;
  COROLITH_DECL void end_agent(std::uint64_t lease, const std::string& why);
  COROLITH_DECL void reap();
  COROLITH_DECL void tell_ended(std::uint64_t lease, const std::string& reason);
  COROLITH_DECL void finish(int status);
  COROLITH_DECL void finish_if_alone();

  agent_options options_;
  std::vector<wire::address> places_;
  std::optional<wire::secret> secret_;
  asio::io_context io_;
  asio::signal_set signals_;
  asio::steady_timer patience_;
  std::shared_ptr<driver_search> search_;
  std::shared_ptr<wire::channel> head_;
  slots slots_;
  std::map<std::uint64_t, leased_agent> agents_;
  bool finishing_ = false;
  int status_ = 0;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/resident_session.ipp>
#endif
