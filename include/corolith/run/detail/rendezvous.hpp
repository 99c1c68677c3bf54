// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/options.hpp>
#include <corolith/wire/listener.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Where a driver waits for its agents, and under which addresses they may find it.
struct rendezvous {
  std::shared_ptr<wire::listener> listener;
  std::vector<std::string> addresses;
};

/// Listens as the options say: agents that are `all_here`, on this machine, come through a Unix socket in the session
/// folder, all others by TCP. Throws config_error when it cannot. The secret is made and written to `secret_file`
/// when it is TCP.
COROLITH_DECL rendezvous meet_agents(asio::io_context& io, const options& settings, bool all_here,
                                     const std::string& session_folder, const std::string& secret_file,
                                     wire::listener::events events);

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/rendezvous.ipp>
#endif
