// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/command.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/command_gate.hpp>
#include <corolith/launch/detail/slurm_queue.hpp>
#include <corolith/launch/detail/slurm_script.hpp>
#include <corolith/launch/guard.hpp>
#include <corolith/launch/launcher.hpp>
#include <corolith/launch/slurm_options.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {

/// Agents on the nodes of one Slurm job: one `sbatch`, in it one `srun` with one agent a node. A driver that runs inside an
/// allocation starts that srun itself and submits nothing. The job is one unit: while it runs, an agent that is lost stays
/// lost; when it ends, all are started again. At most one Slurm command in five seconds once the job is submitted.
class slurm : public launcher {
 public:
  /// `gate`: shared with other jobs, for all commands but those that end one at once; none: this job's own intervals.
  COROLITH_DECL explicit slurm(slurm_options settings, std::shared_ptr<command_gate> gate = nullptr);
  COROLITH_DECL ~slurm() override;
  COROLITH_DECL void start(const request& what) override;
  COROLITH_DECL void restart(std::uint32_t unit) override;
  std::uint32_t units() const override { return 1; }
  std::uint32_t agents_per_unit() const override { return plan_.what.agents; }
  COROLITH_DECL std::vector<unit_exit> ended() override;
  COROLITH_DECL void connected(std::uint32_t agents) override;
  COROLITH_DECL delay delayed_by() const override;
  COROLITH_DECL void stop() override;
  COROLITH_DECL bool all_gone() override;
  COROLITH_DECL void kill() noexcept override;

  /// How many nodes the allocation has in which this process runs; nothing outside of one.
  COROLITH_DECL static std::optional<std::uint32_t> allocated_nodes();

 private:
  using clock = std::chrono::steady_clock;
  enum class phase { none, waiting, submitting, submitted, over };

  COROLITH_DECL bool may_command(bool pressing);
  COROLITH_DECL void submit();
  COROLITH_DECL void submit_now();
  COROLITH_DECL void take_submission();
  COROLITH_DECL void ask_queue();
  COROLITH_DECL void take_answer();
  COROLITH_DECL void take_step_end();
  COROLITH_DECL void end(std::string reason, bool hopeless);
  COROLITH_DECL void cancel();
  COROLITH_DECL void end_deserted();
  COROLITH_DECL void leave_the_rest_to_the_guard();
  COROLITH_DECL std::string log_file() const;
  COROLITH_DECL std::string name_of_job() const;

  slurm_options settings_;
  std::shared_ptr<command_gate> gate_;
  detail::slurm_plan plan_;
  bool in_allocation_ = false;
  phase phase_ = phase::none;
  std::optional<process::command> submission_;  // sbatch, or the srun of an allocation
  std::optional<process::command> question_;    // squeue
  std::optional<process::command> cancelling_;  // scancel
  std::optional<guard> guard_;
  std::string job_;
  detail::slurm_job state_;
  bool has_json_ = true;
  bool queue_is_mute_ = false;  // and that was said
  std::uint32_t connected_ = 0;
  std::uint32_t most_connected_ = 0;  // since the job was submitted
  bool ever_connected_ = false;       // an agent of any job
  bool stopping_ = false;
  bool cancel_wanted_ = false;  // as soon as the gate lets it through
  bool doubtful_ = false;       // Slurm may have taken a job that this launcher does not know of
  int asked_ = 0;               // since the job was submitted
  clock::time_point asked_at_{};
  clock::time_point ask_at_{};
  clock::time_point last_connected_{};  // an agent was, or could not be yet
  bool deserted_ = false;               // no agent was for long, and the job is being cancelled
  std::vector<unit_exit> ended_;
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/slurm.ipp>
#endif
