// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/launcher.hpp>
#include <corolith/launch/slurm_options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

/// Everything that the commands for one job are made of.
struct slurm_plan {
  slurm_options slurm;
  request what;
  std::string job_name;       ///< unique, so that jobs can be found by it
  std::string agent_program;  ///< absolute
  std::string log_file;       ///< with Slurm's %j
  std::string secret;         ///< the secret's digits where the script carries it, else empty
};

/// The words of the sbatch command; the script goes to its standard input.
COROLITH_DECL std::vector<std::string> sbatch_words(const slurm_plan& plan);
/// One srun, with one agent a node.
COROLITH_DECL std::string job_script(const slurm_plan& plan);
/// The words of the srun command, for a driver that is inside an allocation already.
COROLITH_DECL std::vector<std::string> srun_words(const slurm_plan& plan);

/// Splits as a shell does: by blanks, with '...', "..." and \ to keep them. Throws config_error where a quote is not closed.
COROLITH_DECL std::vector<std::string> split_words(std::string_view text);
/// As one word for a shell.
COROLITH_DECL std::string shell_quoted(std::string_view word);

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/slurm_script.ipp>
#endif
