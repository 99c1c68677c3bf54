// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/run/options.hpp>
#include <corolith/storage/location.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>

namespace corolith {
inline namespace v0 {
namespace detail {

/// One row a setting: flag `--name`, variable `COROLITH_NAME` (dashes become underscores), key `name`.
struct option_row {
  const char* name;
  const char* value;
  const char* help;
  void (*set)(options&, const config::entry&);
};

inline std::uint32_t parse_count(const config::entry& from, std::uint32_t least, std::uint32_t most) {
  return static_cast<std::uint32_t>(parse_number(from, least, most));
}

inline progress_mode parse_progress(const config::entry& from) {
  if (from.value == "auto") return progress_mode::automatic;
  if (from.value == "lines") return progress_mode::lines;
  if (from.value == "never") return progress_mode::never;
  reject(from, fmt::format("'{}' is none of auto, lines, never", from.value));
}

inline isolation_mode parse_isolation(const config::entry& from) {
  if (from.value == "process") return isolation_mode::process;
  if (from.value == "thread") return isolation_mode::thread;
  reject(from, fmt::format("'{}' is neither process nor thread", from.value));
}

inline port_range parse_ports(const config::entry& from) {
  const std::size_t dash = from.value.find('-');
  const config::entry first{from.value.substr(0, dash), from.source};
  const config::entry last{dash == std::string::npos ? from.value : from.value.substr(dash + 1), from.source};
  const port_range range{static_cast<std::uint16_t>(parse_number(first, 1, 65535)),
                         static_cast<std::uint16_t>(parse_number(last, 1, 65535))};
  if (range.first > range.last)
    reject(from, fmt::format("'{}': the range is empty; write for example 40000-40100", from.value));
  return range;
}

inline secret_way parse_secret_way(const config::entry& from) {
  if (from.value == "file") return secret_way::file;
  if (from.value == "script") return secret_way::script;
  reject(from, fmt::format("'{}' is neither file nor script", from.value));
}

/// Absolute, as workers need not run where the driver does.
inline std::string parse_store(const config::entry& from) {
  try {
    return storage::location::parse(from.value).to_string();
  } catch (const config_error& failure) {
    reject(from, failure.what());
  }
}

template <std::string slurm_options::* Member>
option_row slurm_text(const char* name, const char* value, const char* help) {
  return {name, value, help, [](options& o, const config::entry& e) { o.slurm.*Member = e.value; }};
}

inline const auto& option_rows() {
  using entry = config::entry;
  static const std::array rows{
      option_row{"launcher", "NAME", "how agents come to be: local, slurm or pool (local)",
                 [](options& o, const entry& e) {
                   if (e.value != "local" && e.value != "slurm" && e.value != "pool")
                     reject(e, fmt::format("unknown launcher '{}': there are local, slurm and pool", e.value));
                   o.launcher = e.value;
                 }},
      option_row{"agents", "N", "number of agents (1; in a Slurm allocation one for each node)",
                 [](options& o, const entry& e) { o.agents = parse_count(e, 1, 4096); }},
      option_row{"nodes", "N", "the same in Slurm's word",
                 [](options& o, const entry& e) { o.agents = parse_count(e, 1, 4096); }},
      option_row{"slots", "N", "slots per agent, 0 for all its processors (0)",
                 [](options& o, const entry& e) { o.slots = parse_count(e, 0, 4096); }},
      option_row{"gpus", "N", "GPUs per agent (0)", [](options& o, const entry& e) { o.gpus = parse_count(e, 0, 64); }},
      option_row{"agent-memory", "SIZE", "memory per agent (what the node has)",
                 [](options& o, const entry& e) { o.memory = parse_size(e); }},
      option_row{"isolation", "MODE",
                 "slots of an agent are worker processes or threads of one: process or thread (process)",
                 [](options& o, const entry& e) { o.isolation = parse_isolation(e); }},
      option_row{"listen", "ADDRESS", "where agents call back, tcp:HOST:PORT (local: a Unix socket)",
                 [](options& o, const entry& e) { o.listen = e.value; }},
      option_row{"interface", "NAME", "network interface where agents call back (all)",
                 [](options& o, const entry& e) { o.interface = e.value; }},
      option_row{"ports", "A-B", "TCP ports to choose from (any that is free)",
                 [](options& o, const entry& e) { o.ports = parse_ports(e); }},
      option_row{"cache-folder", "PATH", "where agents keep programs that came over the wire",
                 [](options& o, const entry& e) { o.cache_folder = e.value; }},
      option_row{"heartbeat", "TIME", "interval of heartbeats (2s)",
                 [](options& o, const entry& e) { o.heartbeat = parse_duration(e); }},
      option_row{"silence", "TIME", "a peer that says nothing for so long is lost (60s)",
                 [](options& o, const entry& e) { o.silence = parse_duration(e); }},
      option_row{"rejoin", "TIME", "an agent looks so long for the driver that the network lost, 0s: not at all (30s)",
                 [](options& o, const entry& e) { o.rejoin = parse_duration(e); }},
      option_row{"grace", "TIME", "from asking a call to stop to killing its worker (500ms)",
                 [](options& o, const entry& e) { o.grace = parse_duration(e); }},
      option_row{"launch-timeout", "TIME", "for the first agent, once it is not queued any more (60s)",
                 [](options& o, const entry& e) { o.launch_timeout = parse_duration(e); }},
      option_row{"relaunch", "N", "how often what ended early is started again, or never (3)",
                 [](options& o, const entry& e) { o.relaunch = e.value == "never" ? 0 : parse_count(e, 0, 1000); }},
      slurm_text<&slurm_options::partition>("partition", "NAME", "Slurm partition"),
      slurm_text<&slurm_options::account>("account", "NAME", "Slurm account"),
      slurm_text<&slurm_options::qos>("qos", "NAME", "Slurm quality of service"),
      slurm_text<&slurm_options::time>("time", "TIME", "Slurm time limit, as sbatch takes it"),
      slurm_text<&slurm_options::constraint>("constraint", "LIST", "Slurm node features"),
      slurm_text<&slurm_options::reservation>("reservation", "NAME", "Slurm reservation"),
      slurm_text<&slurm_options::arguments>("slurm-arguments", "WORDS", "more arguments for sbatch"),
      slurm_text<&slurm_options::preamble>("preamble", "SHELL", "lines before the agents start: module load ..."),
      slurm_text<&slurm_options::log_folder>("log-folder", "PATH", "keeps the logs of Slurm jobs"),
      slurm_text<&slurm_options::agent_program>("agent-program", "PATH", "what nodes run as the agent (this program)"),
      slurm_text<&slurm_options::shared_folder>("shared-folder", "PATH",
                                                "seen by driver and nodes, for the secret (~/.corolith)"),
      option_row{"secret-by", "WAY", "file in the shared folder, or script of the job (file)",
                 [](options& o, const entry& e) { o.slurm.secret_by = parse_secret_way(e); }},
      option_row{"pool", "NAME", "takes agents from this pool: --launcher pool",
                 [](options& o, const entry& e) { o.pool.name = e.value; }},
      option_row{"pools", "PATH", "where pools leave their records (~/.corolith/pools)",
                 [](options& o, const entry& e) { o.pool.folder = e.value; }},
      option_row{"timeout", "TIME", "default timeout of a call (none)",
                 [](options& o, const entry& e) { o.defaults.timeout = parse_duration(e); }},
      option_row{"retries", "N", "default number of retries of a call (0)",
                 [](options& o, const entry& e) { o.defaults.retries = parse_count(e, 0, 1000); }},
      option_row{"memory", "SIZE", "default memory limit of a call (none)",
                 [](options& o, const entry& e) { o.defaults.memory = parse_size(e); }},
      option_row{"cpus", "N", "default number of processors of a call (1)",
                 [](options& o, const entry& e) { o.defaults.cpus = parse_count(e, 1, 4096); }},
      option_row{"store", "URL", "where objects are: a folder (one for this run alone)",
                 [](options& o, const entry& e) { o.store = parse_store(e); }},
      option_row{"store-threshold", "SIZE",
                 "larger arguments and results go through the store, or never (8MiB, local: none)",
                 [](options& o, const entry& e) { o.store_threshold = e.value == "never" ? 0 : parse_size(e); }},
      option_row{"journal", "FILE", "keeps results of maps; a run that finds it executes only what is missing",
                 [](options& o, const entry& e) { o.journal = e.value; }},
      option_row{"journal-sync", "TIME", "results are on the disk so long after they came, or never (1s)",
                 [](options& o, const entry& e) {
                   o.journal_sync = e.value == "never" ? std::chrono::nanoseconds(-1) : parse_duration(e);
                 }},
      option_row{"progress", "MODE", "auto, lines or never (auto)",
                 [](options& o, const entry& e) { o.progress = parse_progress(e); }},
      option_row{"log-level", "LEVEL", "trace, debug, info, warning, error or off (warning)",
                 [](options& o, const entry& e) {
                   try {
                     log::parse_level(e.value);
                   } catch (const config_error& failure) {
                     reject(e, failure.what());
                   }
                   o.log_level = e.value;
                 }},
  };
  return rows;
}

inline std::string variable_of(std::string_view name) {
  std::string variable = "COROLITH_";
  for (char c : name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

/// A flag of this library by its name without dashes; null when there is none. Only whole names count: what is short for one of
/// ours may be one of the program's.
inline const char* known_flag(std::string_view name) {
  if (name == "config") return "config";
  for (const option_row& row : option_rows())
    if (name == row.name) return row.name;
  return nullptr;
}

/// The flags into `settings`; returns what is not corolith's. Sets `help` when it or the version was asked for.
inline std::vector<std::string> read_flags(config& settings, int argc, const char* const* argv, std::string& help) {
  std::vector<std::string> rest;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") {
      rest.insert(rest.end(), argv + i + 1, argv + argc);
      break;
    }
    if (word == "--help" || word == "-h") help = options_help(argv[0]);
    if (word == "--version")
      help = fmt::format("corolith {}.{}.{}\n", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH);
    const std::size_t equals = std::min(word.find('='), word.size());
    const char* name = word.starts_with("--") ? known_flag(word.substr(2, equals - 2)) : nullptr;
    if (name == nullptr) {
      rest.emplace_back(word);
      continue;
    }
    const std::string source = std::string("flag --") + name;
    if (equals == word.size() && i + 1 == argc) throw config_error(source + ": a value was expected after it");
    if (settings.find(name) != nullptr) throw config_error(source + ": it was given twice");
    settings.set(name, std::string(equals == word.size() ? std::string_view(argv[++i]) : word.substr(equals + 1)),
                 source);
  }
  return rest;
}

inline void check_keys(const config& settings) {
  for (const auto& [key, from] : settings.entries()) {
    bool known = key == "config" || key.starts_with("pools.");  // what pools are made of is for the command line
    for (const option_row& row : option_rows()) known = known || key == row.name;
    if (!known) reject(from, fmt::format("there is no setting '{}'; --help lists them", key));
  }
}

}  // namespace detail

COROLITH_DECL std::string options_help(const std::string& program) {
  std::string text = fmt::format("usage: {} [FLAGS] [ARGUMENTS OF THE PROGRAM]\n\nflags of corolith:\n", program);
  for (const detail::option_row& row : detail::option_rows())
    text += fmt::format("  --{:<24} {}\n", std::string(row.name) + " " + row.value, row.help);
  text +=
      "  --config FILE              JSON file with any of these settings, by name\n"
      "  --help, --version\n\n"
      "Each flag can also be an environment variable (--log-level is COROLITH_LOG_LEVEL) or a key of the file.\n"
      "Flags come first, then the environment, then the file. After -- everything is the program's own.\n";
  return text;
}

namespace detail {

/// From all places into `settings`, and what they come to.
inline parsed_options read_settings(config& settings, int argc, const char* const* argv) {
  parsed_options parsed;
  settings.alias("nodes", "agents");
  parsed.rest = read_flags(settings, argc, argv, parsed.help);
  if (!parsed.help.empty()) return parsed;
  const auto read_variable = [&](const char* name) {
    const std::string variable = variable_of(name);
    if (const char* value = std::getenv(variable.c_str()))
      settings.set(name, value, "environment variable " + variable);
  };
  for (const option_row& row : option_rows()) read_variable(row.name);
  read_variable("config");
  if (const config::entry* file = settings.find("config")) {
    const std::string path = file->value;
    settings.read_file(path);
  }
  check_keys(settings);
  for (const option_row& row : option_rows())
    if (const config::entry* from = settings.find(row.name)) row.set(parsed.value, *from);
  if (settings.find("pool") != nullptr && settings.find("launcher") == nullptr) parsed.value.launcher = "pool";
  return parsed;
}

}  // namespace detail

COROLITH_DECL parsed_options parse_options(int argc, const char* const* argv) {
  config settings;
  return detail::read_settings(settings, argc, argv);
}

COROLITH_DECL std::vector<setting> known_settings() {
  std::vector<setting> all;
  const auto add = [&](const char* name, const char* argument, std::string help) {
    setting one{name, detail::variable_of(name), argument, std::move(help), {}, {}, {}};
    // The texts end with what holds when nothing is given, in parentheses.
    if (const std::size_t at = one.help.rfind(" ("); at != std::string::npos && one.help.ends_with(')')) {
      one.standard = one.help.substr(at + 2, one.help.size() - at - 3);
      one.help.resize(at);
    }
    all.push_back(std::move(one));
  };
  for (const detail::option_row& row : detail::option_rows()) add(row.name, row.value, row.help);
  add("config", "FILE", "JSON file with any of these settings, by name");
  return all;
}

COROLITH_DECL std::vector<setting> list_settings(int argc, const char* const* argv) {
  config settings;
  detail::read_settings(settings, argc, argv);
  std::vector<setting> all = known_settings();
  for (setting& one : all)
    if (const config::entry* from = settings.find(one.name)) {
      one.value = from->value;
      one.source = from->source;
    }
  return all;
}

}  // namespace v0
}  // namespace corolith
