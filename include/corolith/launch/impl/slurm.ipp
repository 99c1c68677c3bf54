// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/number.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/launch/detail/file_tail.hpp>
#include <corolith/launch/slurm.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <string_view>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

inline constexpr std::chrono::seconds first_interval{1};  // jobs often start, or fail, at once
inline constexpr int first_questions = 4;
inline constexpr std::chrono::seconds question_interval{5};  // while something is awaited or amiss
inline constexpr std::chrono::seconds quiet_interval{30};    // while all agents are here
inline constexpr std::chrono::seconds submission_time{120};  // a busy controller takes its time
inline constexpr std::chrono::seconds command_time{30};
inline constexpr std::chrono::hours step_time{24 * 366};  // an srun lives as long as its agents

// Cancels jobs by their name, known or just being submitted: an sbatch that was under way may still succeed a little
// later, hence the second round. What still runs in the jobs ends because its driver is gone; to cancel is to be sure.
inline constexpr const char* cancel_script =
    "for pause in 0 3 10 30 60 120; do sleep \"$pause\"; scancel --quiet --user=\"$(id -u)\" --name=\"$1\" && [ "
    "\"$pause\" -gt 0 ] && exit 0; done\n";

inline std::string unique_job_name(const std::string& program) {
  std::random_device random;
  return fmt::format("{}-{:08x}", std::filesystem::path(program).stem().string(), random());
}

/// Without srun's remark that it cannot bind processors, which it was told not to do.
inline std::string without_noise(std::string text) {
  for (std::size_t at; (at = text.find("lacks support for cpu binding")) != std::string::npos;) {
    const std::size_t begin = text.rfind('\n', at) + 1, end = text.find('\n', at);  // npos + 1 is 0
    text.erase(begin, end == std::string::npos ? end : end + 1 - begin);
  }
  return text;
}

/// The folder as an absolute path. Throws config_error when files cannot be made in it: Slurm would say it in its own log only.
inline std::string writable_folder(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path folder = std::filesystem::absolute(path);
  std::filesystem::create_directories(folder, failure);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw config_error(fmt::format("log-folder: the folder {} does not exist or cannot be written; name another one",
                                   folder.string()));
  return folder.string();
}

inline bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace detail

COROLITH_DECL slurm::slurm(slurm_options settings, std::shared_ptr<command_gate> gate)
    : settings_(std::move(settings)), gate_(std::move(gate)) {}

COROLITH_DECL slurm::~slurm() {
  kill();
  if (gate_) gate_->leave(this);
}

COROLITH_DECL bool slurm::may_command(bool pressing) { return !gate_ || gate_->may(this, pressing); }

COROLITH_DECL std::optional<std::uint32_t> slurm::allocated_nodes() {
  if (std::getenv("SLURM_JOB_ID") == nullptr) return std::nullopt;
  const char* nodes = std::getenv("SLURM_JOB_NUM_NODES");
  return std::max(1U, nodes == nullptr ? 1U : whole_number<std::uint32_t>(nodes).value_or(1));
}

COROLITH_DECL void slurm::start(const request& what) {
  if (const auto nodes = allocated_nodes()) {
    in_allocation_ = true;
    job_ = std::getenv("SLURM_JOB_ID");
    if (what.agents > *nodes)
      throw launch_failed(
          fmt::format("{} nodes were asked for and the allocation that the driver runs in (job {}) has {}; ask for "
                      "fewer, or unset SLURM_JOB_ID to submit a new job",
                      what.agents, job_, *nodes));
  }
  plan_.slurm = settings_;
  plan_.what = what;
  plan_.agent_program = settings_.agent_program.empty() ? own_executable_path()
                                                        : std::filesystem::absolute(settings_.agent_program).string();
  plan_.job_name = detail::unique_job_name(what.name.empty() ? own_executable_path() : what.name);
  const std::string folder =
      settings_.log_folder.empty() ? what.session_folder : detail::writable_folder(settings_.log_folder);
  plan_.log_file = folder + "/job-%j.log";
  if (settings_.secret_by == secret_way::script) plan_.secret = detail::file_tail(what.secret_file);
  while (!plan_.secret.empty() && plan_.secret.back() == '\n') plan_.secret.pop_back();
  if (!in_allocation_) guard_.emplace(detail::cancel_script, std::vector<std::string>{plan_.job_name});
  submit();
}

COROLITH_DECL void slurm::restart(std::uint32_t) { submit(); }

COROLITH_DECL void slurm::submit() {
  state_ = {};
  most_connected_ = 0;
  last_connected_ = clock::now();
  deserted_ = false;
  cancelling_.reset();
  asked_ = 0;
  phase_ = phase::waiting;
  if (in_allocation_ || may_command(true)) submit_now();
}

COROLITH_DECL void slurm::submit_now() {
  phase_ = phase::submitting;
  if (in_allocation_)
    submission_.emplace(detail::srun_words(plan_), plan_.secret + "\n", detail::step_time);
  else
    submission_.emplace(detail::sbatch_words(plan_), detail::job_script(plan_), detail::submission_time);
}

COROLITH_DECL std::string slurm::log_file() const {
  std::string path = plan_.log_file;
  const std::size_t place = path.find("%j");
  return place == std::string::npos ? path : path.replace(place, 2, job_);
}

COROLITH_DECL std::string slurm::name_of_job() const {
  return (in_allocation_ ? "the agents in slurm job " : "slurm job ") + job_;
}

COROLITH_DECL std::vector<unit_exit> slurm::ended() {
  if (submission_ && submission_->done()) in_allocation_ ? take_step_end() : take_submission();
  if (question_ && question_->done()) take_answer();
  end_deserted();
  if (phase_ == phase::waiting && may_command(true)) submit_now();
  if (phase_ == phase::submitted && cancel_wanted_ && may_command(true)) cancel();
  if (phase_ == phase::submitted && !question_ && !cancelling_ && clock::now() >= ask_at_ && may_command(false))
    ask_queue();
  const bool may_ask = phase_ == phase::waiting || (phase_ == phase::submitted && !question_ && !cancelling_);
  if (gate_ && !may_ask) gate_->leave(this);
  return std::exchange(ended_, {});
}

/// Where a node is lost, srun waits for it for ever, and the job runs on when nothing of it is left, be it before an agent was
/// ready. That no agent of the first job comes is for whoever waits for it to notice.
COROLITH_DECL void slurm::end_deserted() {
  if (stopping_ || !ever_connected_ || connected_ != 0) return;
  if (deserted_) {
    if (cancelling_ && cancelling_->done()) cancelling_.reset();  // squeue will say when it is over
    return;
  }
  const bool runs = in_allocation_ ? submission_.has_value() : phase_ == phase::submitted && state_.state == "RUNNING";
  if (!runs && most_connected_ == 0) last_connected_ = clock::now();
  if (!runs || clock::now() - last_connected_ <= plan_.what.patience) return;
  deserted_ = true;
  log::warning(fmt::format("{} runs, but none of its agents has been connected for {:.0f} s: it is cancelled",
                           name_of_job(), std::chrono::duration<double>(plan_.what.patience).count()));
  in_allocation_ ? submission_->terminate() : cancel();
}

COROLITH_DECL void slurm::take_submission() {
  const std::string output = submission_->output();
  const std::string complaint = submission_->succeeded() ? "" : submission_->complaint();
  submission_.reset();
  if (!complaint.empty()) {
    // What the controller did not even hear may be heard later; what it refused it refuses again.
    const bool unheard = detail::mentions(complaint, {"contact slurm", "timed out", "in time", "temporarily"});
    doubtful_ = doubtful_ || unheard;
    return end("the job could not be submitted: " + complaint, !unheard);
  }
  job_ = output.substr(0, output.find_first_of(";\n"));
  phase_ = phase::submitted;
  ask_at_ = clock::now() + detail::first_interval;
  log::info(fmt::format("submitted slurm job {} ({})", job_, plan_.job_name));
  cancel_wanted_ = stopping_;
  if (stopping_ && may_command(true)) cancel();
}

COROLITH_DECL void slurm::take_step_end() {
  const std::string how =
      submission_->succeeded() ? "srun: exit status 0" : detail::without_noise(submission_->complaint());
  submission_.reset();
  end(fmt::format("{} ended: {}", name_of_job(), how), !ever_connected_);
}

COROLITH_DECL void slurm::ask_queue() {
  question_.emplace(has_json_ ? detail::squeue_json_words(job_) : detail::squeue_line_words(job_), "",
                    detail::command_time);
  asked_at_ = clock::now();
  const bool early = ++asked_ < detail::first_questions && most_connected_ == 0;
  const bool quiet = connected_ == plan_.what.agents;
  ask_at_ = asked_at_ + (early ? detail::first_interval : quiet ? detail::quiet_interval : detail::question_interval);
}

COROLITH_DECL void slurm::take_answer() {
  bool heard = question_->succeeded();
  std::string text = heard ? question_->output() : question_->complaint();
  question_.reset();
  if (phase_ != phase::submitted) return;
  detail::slurm_job now;
  if (heard) {
    try {
      now = has_json_ ? detail::read_squeue_json(text, job_) : detail::read_squeue_line(text);
    } catch (const config_error&) {
      has_json_ = false;
      return;
    } catch (const launch_failed& problem) {
      heard = false;
      text = problem.what();
    }
  } else if (has_json_ && detail::mentions(text, {"unrecognized option", "json"})) {
    has_json_ = false;
    return;
  }
  if (!heard && !detail::mentions(text, {"Invalid job id"})) {
    if (!std::exchange(queue_is_mute_, true)) log::warning("slurm does not answer, going on: " + text);
    return;
  }
  queue_is_mute_ = false;
  state_ = std::move(now);
  if (detail::is_over(state_.state))
    end(fmt::format("{} ended: {}", name_of_job(), detail::describe(state_, std::time(nullptr))), false);
}

COROLITH_DECL void slurm::end(std::string reason, bool hopeless) {
  phase_ = phase::over;
  if (stopping_) return;
  std::string tail = detail::without_noise(detail::file_tail(log_file()));
  if (detail::mentions(tail, {"execve()"}) && detail::mentions(tail, {"No such file"}))
    reason += "; the nodes do not see " + plan_.agent_program + ": name an agent that they see with --agent-program";
  ended_.push_back({0, std::move(reason), std::move(tail), hopeless});
}

COROLITH_DECL void slurm::connected(std::uint32_t agents) {
  if (agents < connected_)  // has the job ended? Slurm knows it a little later than the socket
    ask_at_ = std::min(ask_at_, std::max(clock::now() + detail::first_interval, asked_at_ + detail::question_interval));
  if (connected_ + agents > 0) last_connected_ = clock::now();
  connected_ = agents;
  most_connected_ = std::max(most_connected_, agents);
  ever_connected_ = ever_connected_ || agents > 0;
}

COROLITH_DECL delay slurm::delayed_by() const {
  if (in_allocation_ || phase_ == phase::over || phase_ == phase::none) return {};
  if (phase_ == phase::waiting) return {"a slurm job is about to be submitted", true};
  if (phase_ == phase::submitting) return {"a slurm job is being submitted", true};
  if (state_.state.empty()) return {fmt::format("{} was submitted", name_of_job()), true};
  return {fmt::format("{} is {}", name_of_job(), detail::describe(state_, std::time(nullptr))),
          detail::is_waiting(state_.state)};
}

COROLITH_DECL void slurm::cancel() {
  cancel_wanted_ = false;
  if (in_allocation_ || cancelling_) return;
  cancelling_.emplace(
      std::vector<std::string>{"scancel", "--quiet", fmt::format("--user={}", ::getuid()), "--name=" + plan_.job_name},
      "", detail::command_time);
}

COROLITH_DECL void slurm::stop() {
  stopping_ = true;
  // Agents that are connected end by themselves, and with the last of them the job.
  if (phase_ == phase::waiting) phase_ = phase::none;
  if (phase_ != phase::submitted || (connected_ == plan_.what.agents && !doubtful_)) return;
  cancel_wanted_ = true;
  if (may_command(true)) cancel();
}

COROLITH_DECL bool slurm::all_gone() {
  ended();
  if (phase_ == phase::submitted && !cancel_wanted_ && (cancelling_ ? cancelling_->done() : connected_ == 0)) {
    phase_ = phase::over;
    leave_the_rest_to_the_guard();
  }
  return phase_ == phase::none || phase_ == phase::over;
}

/// What could not be cancelled now, or may only now come to the queue.
COROLITH_DECL void slurm::leave_the_rest_to_the_guard() {
  const bool cancelled = !cancelling_ || cancelling_->succeeded();
  if (guard_ && (doubtful_ || !cancelled)) guard_->take_over();
}

COROLITH_DECL void slurm::kill() noexcept {
  try {
    stopping_ = true;
    if (in_allocation_ && submission_) {
      submission_->terminate();  // srun ends its step
      submission_->wait();
      submission_.reset();
    } else if (phase_ == phase::submitting || phase_ == phase::submitted) {
      doubtful_ = doubtful_ || submission_.has_value();
      submission_.reset();
      cancel();
      cancelling_->wait();
      leave_the_rest_to_the_guard();
    }
  } catch (const std::exception& problem) {
    log::error(std::string("cannot end the slurm job: ") + problem.what());
  }
  phase_ = phase::over;
}

}  // namespace launch
}  // namespace v0
}  // namespace corolith
