// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

/// What squeue says of a job.
struct slurm_job {
  std::string state;       ///< "PENDING", "RUNNING", "TIMEOUT" ...; empty: the queue does not know the job (any more)
  std::string reason;      ///< "Resources", "JobHeldUser"; empty for none
  std::int64_t start = 0;  ///< when it started or is expected to, seconds since 1970; 0: unknown
};

/// `squeue --json`, in the forms of Slurm 22.05 and of 23.02, of all jobs or some. Throws config_error when it is no such JSON, and
/// launch_failed when the job is not in it and squeue has met an error.
COROLITH_DECL slurm_job read_squeue_json(const std::string& text, const std::string& job);
/// `squeue --noheader --format=%T|%r|%S`, for a Slurm without JSON.
COROLITH_DECL slurm_job read_squeue_line(std::string_view text);

COROLITH_DECL std::vector<std::string> squeue_json_words(const std::string& job);
COROLITH_DECL std::vector<std::string> squeue_line_words(const std::string& job);

/// The states in which a job waits for its nodes, and those after which it comes back in no way.
COROLITH_DECL bool is_waiting(std::string_view state);
COROLITH_DECL bool is_over(std::string_view state);

/// "pending (Resources), expected to start 14:02"; in local time, with the date when that is not today.
COROLITH_DECL std::string describe(const slurm_job& job, std::int64_t now);

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/slurm_queue.ipp>
#endif
