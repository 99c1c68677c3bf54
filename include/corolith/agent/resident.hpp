// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/options.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

namespace corolith {
inline namespace v0 {
namespace agent {

/// Offers this node's slots to the head of a pool, and starts an ordinary agent for each lease that the head grants,
/// until the head says shutdown or is lost. Executes nothing itself. Runs on the calling thread, which must be the
/// main thread; it takes SIGTERM, SIGINT, SIGHUP, SIGCHLD and SIGURG while it runs: SIGURG says that the node's time
/// is nearly over. No agent is left when it returns. The result is an exit status: 0 after an orderly end.
COROLITH_DECL int run_resident(agent_options options);

}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/resident.ipp>
#endif
