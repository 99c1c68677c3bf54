// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/launch/detail/slurm_script.hpp>

#include <fmt/format.h>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

COROLITH_DECL std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool open = false;  // a word has begun
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == '\0' && blank) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (quote == '\0' && (c == '\'' || c == '"'))
      quote = c;
    else if (c == quote)
      quote = '\0';
    else if (c == '\\' && quote != '\'' && i + 1 < text.size())
      words.back() += text[++i];
    else
      words.back() += c;
  }
  if (quote != '\0') throw config_error(fmt::format("'{}': a quote is not closed", text));
  return words;
}

COROLITH_DECL std::string shell_quoted(std::string_view word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

inline std::vector<std::string> agent_words(const slurm_plan& plan) {
  const request& what = plan.what;
  std::vector<std::string> words{plan.agent_program,  what.role,
                                 "environment=slurm", fmt::format("connect={}", fmt::join(what.connect, ",")),
                                 "launch_tag=0",      "secret_file=" + (plan.secret.empty() ? what.secret_file : "-")};
  words.push_back(fmt::format("rejoin={}", what.rejoin.count()));
  if (what.slots != 0) words.push_back(fmt::format("slots={}", what.slots));
  if (what.gpus != 0) words.push_back(fmt::format("gpus={}", what.gpus));
  if (what.memory != 0) words.push_back(fmt::format("memory={}", what.memory));
  if (!what.cache_folder.empty()) words.push_back("cache_folder=" + what.cache_folder);
  if (!what.log_level.empty()) words.push_back("log_level=" + what.log_level);
  words.insert(words.end(), what.more.begin(), what.more.end());
  return words;
}

inline std::vector<std::string> srun_flags(const slurm_plan& plan) {
  // A lost node or agent is no reason to end the others; where calls run is the agents' business, not srun's.
  std::vector<std::string> flags{
      "srun",     "--ntasks-per-node=1", "--no-kill",  "--kill-on-bad-exit=0",
      "--wait=0", "--cpu-bind=none",     "--mpi=none", plan.secret.empty() ? "--input=none" : "--input=all"};
  if (plan.what.slots != 0) flags.push_back(fmt::format("--cpus-per-task={}", plan.what.slots));
  return flags;
}

COROLITH_DECL std::vector<std::string> srun_words(const slurm_plan& plan) {
  std::vector<std::string> words = srun_flags(plan);
  words.push_back(fmt::format("--nodes={}", plan.what.agents));
  words.push_back(fmt::format("--ntasks={}", plan.what.agents));
  words.push_back("--overlap");  // the driver itself may be a step of the allocation
  words.push_back("--job-name=" + plan.job_name);
  words.push_back("--output=" + plan.log_file);
  for (std::string& word : agent_words(plan)) words.push_back(std::move(word));
  return words;
}

COROLITH_DECL std::vector<std::string> sbatch_words(const slurm_plan& plan) {
  const slurm_options& slurm = plan.slurm;
  std::vector<std::string> words{"sbatch",
                                 "--parsable",
                                 "--job-name=" + plan.job_name,
                                 fmt::format("--nodes={}", plan.what.agents),
                                 "--ntasks-per-node=1",
                                 "--no-requeue",
                                 "--no-kill",
                                 "--open-mode=append",
                                 "--output=" + plan.log_file};
  words.push_back(plan.what.slots != 0 ? fmt::format("--cpus-per-task={}", plan.what.slots) : "--exclusive");
  if (plan.what.gpus != 0) words.push_back(fmt::format("--gres=gpu:{}", plan.what.gpus));
  if (plan.what.memory != 0) words.push_back(fmt::format("--mem={}M", (plan.what.memory + (1U << 20U) - 1) >> 20U));
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) words.push_back(flag + value);
  };
  add("--partition=", slurm.partition);
  add("--account=", slurm.account);
  add("--qos=", slurm.qos);
  add("--time=", slurm.time);
  add("--constraint=", slurm.constraint);
  add("--reservation=", slurm.reservation);
  for (std::string& word : split_words(slurm.arguments)) words.push_back(std::move(word));
  return words;
}

COROLITH_DECL std::string job_script(const slurm_plan& plan) {
  std::string script = "#!/bin/bash\n";
  if (!plan.slurm.preamble.empty())
    script += "set -e\n" + plan.slurm.preamble + "\nset +e\n";  // what fails there would fail the agents later
  std::string line;
  for (const std::string& word : srun_flags(plan)) line += (line.empty() ? "" : " ") + word;
  line += R"( --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES")";
  for (const std::string& word : agent_words(plan)) line += " " + shell_quoted(word);
  if (plan.secret.empty()) return script + "exec " + line + "\n";
  return script + line + " <<'SECRET'\n" + plan.secret + "\nSECRET\n";
}

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith
