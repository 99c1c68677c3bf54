// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/options.hpp>
#include <corolith/core/version.hpp>

#include <unistd.h>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// Whether the driver that started this agent is gone; false for an agent that was started by somebody else.
inline bool parent_is_gone(const agent_options& options) noexcept {
  return options.parent_pid != 0 && ::getppid() != options.parent_pid;
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
