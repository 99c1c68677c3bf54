// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/number.hpp>
#include <corolith/launch/slurm.hpp>
#include <corolith/pool/head_options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a pool is made of: flags first, then the `pools` of the JSON configuration file, then defaults.
namespace tool {

using setting = corolith::config::entry;

/// One row a setting: flag `--name`, key `pools.POOL.name`.
struct pool_row {
  const char* name;
  const char* value;
  const char* help;
  void (*set)(corolith::pool::head_options&, const setting&);
};

inline std::uint32_t small_number(const setting& from, std::uint32_t least, std::uint32_t most) {
  return static_cast<std::uint32_t>(corolith::parse_number(from, least, most));
}

template <std::string corolith::slurm_options::* Member>
pool_row slurm_row(const char* name, const char* value, const char* help) {
  return {name, value, help, [](corolith::pool::head_options& o, const setting& e) { o.slurm.*Member = e.value; }};
}

inline void set_ports(corolith::pool::head_options& into, const setting& from) {
  const std::size_t dash = from.value.find('-');
  const setting first{from.value.substr(0, dash), from.source};
  const setting last{dash == std::string::npos ? from.value : from.value.substr(dash + 1), from.source};
  into.meeting.first_port = static_cast<std::uint16_t>(corolith::parse_number(first, 1, 65535));
  into.meeting.last_port = static_cast<std::uint16_t>(corolith::parse_number(last, 1, 65535));
  if (into.meeting.first_port > into.meeting.last_port) reject(from, "'" + from.value + "': the range is empty");
}

inline void set_launcher(corolith::pool::head_options& into, const setting& from) {
  if (from.value != "local" && from.value != "slurm")
    reject(from, "'" + from.value + "' is neither local nor slurm, which are the launchers that pools have");
  into.launcher = from.value;
}

inline void set_secret_way(corolith::pool::head_options& into, const setting& from) {
  if (from.value != "file" && from.value != "script") reject(from, "'" + from.value + "' is neither file nor script");
  into.slurm.secret_by = from.value == "file" ? corolith::secret_way::file : corolith::secret_way::script;
}

inline void set_log_level(corolith::pool::head_options& into, const setting& from) {
  try {
    corolith::log::parse_level(from.value);
  } catch (const corolith::config_error& failure) {
    reject(from, failure.what());
  }
  into.log_level = from.value;
}

inline const auto& pool_rows() {
  using options = corolith::pool::head_options;
  using slurm = corolith::slurm_options;
  static const std::array rows{
      pool_row{"launcher", "NAME", "local or slurm (local)", set_launcher},
      pool_row{"nodes", "N", "of each job (1)",
               [](options& o, const setting& e) { o.size.nodes_per_job = small_number(e, 1, 4096); }},
      pool_row{"min", "N", "nodes that it has at least (as many as a job; 0 where max is given)",
               [](options& o, const setting& e) { o.size.min_nodes = small_number(e, 0, 4096); }},
      pool_row{"max", "N", "nodes that it has at most (as many as a job, or min)",
               [](options& o, const setting& e) { o.size.max_nodes = small_number(e, 0, 4096); }},
      pool_row{"idle", "TIME", "a job that was not used for so long is given back (60s)",
               [](options& o, const setting& e) { o.size.idle = corolith::parse_duration(e); }},
      pool_row{"startup", "TIME", "what a new job takes to come, until that is known (10s)",
               [](options& o, const setting& e) { o.size.first_startup = corolith::parse_duration(e); }},
      pool_row{"linger", "TIME", "a driver keeps so long what it does not use and nobody else wants (2s)",
               [](options& o, const setting& e) { o.linger = corolith::parse_duration(e); }},
      pool_row{"cpus", "N", "slots of each node, 0 for all its processors (0)",
               [](options& o, const setting& e) { o.slots = small_number(e, 0, 4096); }},
      pool_row{"gpus", "N", "of each node (0)", [](options& o, const setting& e) { o.gpus = small_number(e, 0, 64); }},
      pool_row{"memory", "SIZE", "of each node (what it has)",
               [](options& o, const setting& e) { o.memory = corolith::parse_size(e); }},
      slurm_row<&slurm::partition>("partition", "NAME", "Slurm partition"),
      slurm_row<&slurm::account>("account", "NAME", "Slurm account"),
      slurm_row<&slurm::qos>("qos", "NAME", "Slurm quality of service"),
      slurm_row<&slurm::time>("time", "TIME", "Slurm time limit of each job, as sbatch takes it"),
      pool_row{"notice", "TIME", "so long before that limit a node gets no more calls, 0s: until it is over (60s)",
               [](options& o, const setting& e) { o.notice = corolith::parse_duration(e); }},
      slurm_row<&slurm::constraint>("constraint", "LIST", "Slurm node features"),
      slurm_row<&slurm::reservation>("reservation", "NAME", "Slurm reservation"),
      slurm_row<&slurm::arguments>("slurm-arguments", "WORDS", "more arguments for sbatch"),
      slurm_row<&slurm::preamble>("preamble", "SHELL", "lines before the nodes start: module load ..."),
      slurm_row<&slurm::log_folder>("log-folder", "PATH", "keeps the logs of Slurm jobs"),
      slurm_row<&slurm::agent_program>("agent-program", "PATH",
                                       "what nodes run, corolith or corolith-agent (this program)"),
      pool_row{"secret-by", "WAY", "file in the pool's folder, or script of the job (file)", set_secret_way},
      pool_row{"launch-timeout", "TIME", "for nodes to connect once their job runs (60s)",
               [](options& o, const setting& e) { o.launch_timeout = corolith::parse_duration(e); }},
      pool_row{"listen", "ADDRESS",
               "where nodes and drivers find the head, tcp:HOST:PORT (all interfaces; local: this machine)",
               [](options& o, const setting& e) { o.meeting.listen = e.value; }},
      pool_row{"interface", "NAME", "the same by network interface",
               [](options& o, const setting& e) { o.meeting.interface = e.value; }},
      pool_row{"ports", "A-B", "TCP ports to choose from (any that is free)", set_ports},
      pool_row{"cache-folder", "PATH", "where nodes keep programs that came over the wire",
               [](options& o, const setting& e) { o.cache_folder = e.value; }},
      pool_row{"log-level", "LEVEL", "of head and nodes (info)", set_log_level},
  };
  return rows;
}

inline const pool_row* find_pool_row(std::string_view name) {
  for (const pool_row& row : pool_rows())
    if (name == row.name) return &row;
  return nullptr;
}

/// Slurm's forms of a time limit, in seconds: M, M:S, H:M:S, D-H, D-H:M, D-H:M:S. Nothing when it is none of them.
inline std::optional<std::uint64_t> slurm_seconds(std::string_view text) {
  const auto part = [](std::string_view& from, char end) -> std::optional<std::uint64_t> {
    const std::size_t at = from.find(end);
    const auto number = corolith::whole_number<std::uint64_t>(from.substr(0, at));
    from = at == std::string_view::npos ? std::string_view() : from.substr(at + 1);
    return number;
  };
  std::uint64_t days = 0;
  const bool has_days = text.find('-') != std::string_view::npos;
  if (has_days) {
    const auto number = part(text, '-');
    if (!number) return std::nullopt;
    days = *number;
  }
  std::vector<std::uint64_t> parts;
  while (!text.empty()) {
    const auto number = part(text, ':');
    if (!number) return std::nullopt;
    parts.push_back(*number);
  }
  if (parts.empty() || parts.size() > 3) return std::nullopt;
  // With days, or with three parts, the first are hours; else minutes.
  std::uint64_t unit = has_days || parts.size() == 3 ? 3600 : 60, seconds = days * 86400;
  for (const std::uint64_t number : parts) {
    seconds += number * unit;
    unit /= 60;
  }
  return seconds;
}

/// Where settings of a pool are said: flags, by their names, before the configuration file.
struct pool_sources {
  corolith::config flags;
  corolith::config file;  ///< all of it: other keys are for drivers
  std::string prefix;     ///< of the pool's keys: "pools.gp."

  const setting* find(const std::string& name) const {
    const setting* found = flags.find(name);
    return found != nullptr ? found : file.find(prefix + name);
  }
};

/// What was not said follows from what was. Throws config_error where both contradict each other.
inline void complete(corolith::pool::head_options& options, const pool_sources& given) {
  auto& size = options.size;
  const auto says = [&](const char* name) { return given.find(name) != nullptr; };
  if (options.launcher == "slurm")
    if (const auto here = corolith::launch::slurm::allocated_nodes()) {
      if (!says("nodes")) size.nodes_per_job = *here;
      if (!says("max")) size.max_nodes = *here;
      if (size.max_nodes > *here)
        throw corolith::config_error(fmt::format("max: the allocation that this runs in has {} nodes", *here));
      if (!says("min")) size.min_nodes = size.nodes_per_job;
    }
  if (!says("min") && !says("max")) size.min_nodes = size.nodes_per_job;
  if (!says("min") && says("max")) size.min_nodes = 0;
  if (!says("max")) size.max_nodes = std::max(size.min_nodes, size.nodes_per_job);
  if (size.min_nodes > size.max_nodes)
    throw corolith::config_error(fmt::format("min: {} nodes are more than max, {}", size.min_nodes, size.max_nodes));
  if (size.max_nodes != 0 && size.max_nodes < size.nodes_per_job)
    throw corolith::config_error(
        fmt::format("max: {} nodes are less than the {} of one job", size.max_nodes, size.nodes_per_job));
  // A notice that is as long as the job itself would end each as it begins.
  if (const auto limit = slurm_seconds(options.slurm.time))
    options.notice = std::min<std::chrono::nanoseconds>(options.notice, std::chrono::seconds(*limit) / 3);
}

/// Options of the pool `name`. Throws config_error.
inline corolith::pool::head_options read_pool(const std::string& name, const pool_sources& given) {
  corolith::pool::head_options options;
  options.name = name;
  options.log_level = "info";
  const std::string& prefix = given.prefix;
  for (const auto& [key, from] : given.file.entries())
    if (key.starts_with(prefix) && find_pool_row(key.substr(prefix.size())) == nullptr)
      reject(from, fmt::format("there is no setting '{}' of a pool; corolith pool up --help lists them",
                               key.substr(prefix.size())));
  for (const pool_row& row : pool_rows())
    if (const setting* from = given.find(row.name)) row.set(options, *from);
  complete(options, given);
  for (std::string* path : {&options.cache_folder, &options.slurm.log_folder, &options.slurm.agent_program})
    if (!path->empty()) *path = std::filesystem::absolute(*path).string();
  return options;
}

}  // namespace tool
