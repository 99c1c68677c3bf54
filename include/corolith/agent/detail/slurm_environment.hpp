// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/options.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What Slurm tells a process about its share of the node, in environment variables. Pure functions: what is malformed
/// counts as absent, and a line in `warnings` says so.
namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// The value of a variable; nothing when it is not set.
using get_variable = std::function<std::optional<std::string>(const char* name)>;

/// What this machine says of itself.
struct machine {
  std::vector<int> usable_cpus;  ///< that this process may run on
  std::size_t online_cpus = 1;
  std::uint64_t memory = 0;
};

/// The entry for node `index` of a list with repetitions: in "24(x2),12" node 2 has 12. Nothing when the list is
/// malformed or shorter.
COROLITH_DECL std::optional<std::uint32_t> entry_of_node(std::string_view list, std::uint32_t index);

/// Fills in what `options` leaves open: node name, slots, memory, GPUs, and processors to pin workers to.
COROLITH_DECL void apply_slurm_environment(agent_options& options, const get_variable& variable, const machine& here,
                                           std::vector<std::string>& warnings);

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/slurm_environment.ipp>
#endif
