// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/options.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {

/// Serves one driver until it says shutdown or goodbye, or is lost. Runs on the calling thread, which must be the main
/// thread; it takes SIGTERM, SIGINT and SIGHUP while it runs. No worker is left when it returns. The result is an exit
/// status: 0 after an orderly end.
COROLITH_DECL int run_agent(agent_options options);

/// From `name=value` words. Throws config_error naming the word.
COROLITH_DECL agent_options parse_agent_options(const std::vector<std::string>& words);

/// Makes every program an agent or a worker of itself: to be called first in `main`. When the first argument is
/// `--corolith-agent` or `--corolith-worker` it plays that role and returns the exit status, else nothing.
COROLITH_DECL std::optional<int> serve(int argc, char** argv);

}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/agent.ipp>
#endif
