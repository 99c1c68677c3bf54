// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "finding.hpp"
#include "network.hpp"

#include <corolith/core/command.hpp>

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

/// Whether Slurm is there, answers, and has what the flags ask for.
namespace tool::doctor {

inline std::string found_on_path(const std::string& name) {
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "/usr/bin:/bin" : variable;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string file = path.substr(begin, end - begin) + "/" + name;
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return {};
}

inline bool check_commands(report& into) {
  std::string missing;
  for (const char* each : {"sbatch", "srun", "squeue", "scancel"})
    if (found_on_path(each).empty()) missing += (missing.empty() ? "" : ", ") + std::string(each);
  if (missing.empty()) {
    into.good("slurm commands", "sbatch, srun, squeue and scancel are there");
    return true;
  }
  into.problem("slurm commands", fmt::format("not found on PATH: {}", missing),
               "install Slurm's commands, or load its module (module load slurm), or use --launcher local");
  return false;
}

/// True when it answered; its answer in `text`.
inline bool ask(report& into, std::vector<std::string> words, std::string* text) {
  const std::string name = words[0];
  corolith::process::command asked(std::move(words), "", std::chrono::seconds(10));
  asked.wait();
  if (asked.succeeded()) {
    *text = asked.output();
    return true;
  }
  into.problem("slurm", fmt::format("it does not answer: {}", asked.complaint()),
               "try `scontrol ping`; if the controller is up, this machine may lack its slurm.conf or munge key");
  return false;
}

inline std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(by), text.size());
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return parts;
}

/// Partitions by name and state, and one node that is up.
inline void check_partitions(report& into, const corolith::options& how, const std::string& listed) {
  std::vector<std::string> names;
  std::string node, address;
  bool there = how.slurm.partition.empty(), up = false;
  for (const std::string& line : split(listed, '\n')) {
    const std::vector<std::string> fields =
        split(line, '|');  // partition, its state, state of the node, node, its address
    if (fields.size() != 5) continue;
    std::string name = fields[0];
    if (!name.empty() && name.back() == '*') name.pop_back();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    const bool asked = how.slurm.partition.empty() || name == how.slurm.partition;
    there = there || asked;
    const bool usable = fields[1] == "up" && fields[2].find("down") == std::string::npos &&
                        fields[2].find("drain") == std::string::npos && fields[2].find('*') == std::string::npos;
    if (!asked || !usable) continue;
    up = true;
    if (!node.empty()) continue;
    node = fields[3];
    address = fields[4];
  }
  if (!there)
    return into.problem(
        "partition",
        fmt::format("there is no partition '{}': Slurm has {}", how.slurm.partition, fmt::join(names, ", ")),
        "name one of those with --partition");
  if (!up)
    return into.problem("nodes", "no node is up where such a job would run",
                        "see `sinfo`; name another partition with --partition");
  into.good("nodes", fmt::format("{} is up, for example", node));
  check_route(into, node, address);
}

inline void check_program(report& into, const corolith::options& how) {
  if (how.slurm.agent_program.empty()) return;
  if (::access(how.slurm.agent_program.c_str(), X_OK) == 0)
    return into.good("agent program", how.slurm.agent_program + " is there, on this machine");
  into.warning("agent program", how.slurm.agent_program + " is no program on this machine; it may be one on the nodes",
               "install corolith-agent where nodes see it, and name it with --agent-program");
}

inline void check_slurm(report& into, const corolith::options& how) {
  if (how.launcher != "slurm") return into.note("slurm", "not asked: the launcher is local (--launcher slurm)");
  if (!check_commands(into)) return;
  std::string version, partitions;
  if (!ask(into, {"squeue", "--noheader", "--user=" + std::to_string(::getuid()), "--format=%i"}, &version)) return;
  into.good("slurm", "squeue answers");
  if (!found_on_path("sinfo").empty() &&
      ask(into, {"sinfo", "--noheader", "--Node", "--format=%P|%a|%T|%N|%o"}, &partitions))
    check_partitions(into, how, partitions);
  check_program(into, how);
}

}  // namespace tool::doctor
