// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pool_settings.hpp"
#include "pool_text.hpp"
#include "pool_up.hpp"

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/number.hpp>
#include <corolith/launch/pool_head.hpp>
#include <corolith/pool/client.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// `corolith pool`: agents that outlive drivers.
namespace tool {

constexpr const char* pool_usage =
    "usage: corolith pool VERB [NAME] [FLAGS]\n"
    "\n"
    "  up NAME              starts a pool; drivers use it by --pool NAME\n"
    "  ls                   lists the pools\n"
    "  show NAME            its jobs, nodes and drivers\n"
    "  scale NAME N         to N nodes; N-M: as many as the work needs, from N to M\n"
    "  drain NAME           takes no new drivers, and goes down when the last one has left\n"
    "  down NAME            ends it now; its drivers' calls fail\n"
    "\n"
    "  --pools PATH         where pools leave their records (COROLITH_POOLS, ~/.corolith/pools)\n"
    "  --json               up, ls, show: as JSON\n"
    "  --help               also behind up\n";

inline std::string pool_up_usage() {
  std::string text =
      "usage: corolith pool up NAME [FLAGS]\n"
      "\n"
      "Starts the head of a pool in the background, and with it the pool. Its log is in the pool's folder.\n"
      "\n"
      "  --foreground               the head is this process, for use in a job or under systemd\n"
      "  --wait                     until the least number of nodes is up\n"
      "  --config FILE              JSON file with {\"pools\": {\"NAME\": {\"launcher\": \"slurm\", ...}}} "
      "(COROLITH_CONFIG)\n"
      "  --pools PATH               where pools leave their records (COROLITH_POOLS, ~/.corolith/pools)\n"
      "  --json                     tells of the pool as JSON\n"
      "\n"
      "Of the pool, each also a key of the file:\n";
  for (const pool_row& row : pool_rows())
    text += fmt::format("  --{:<24} {}\n", std::string(row.name) + " " + row.value, row.help);
  return text;
}

/// The words behind `corolith pool VERB`.
struct pool_words {
  std::vector<std::string> names;
  pool_sources given;
  std::string folder;
  bool json = false;
  bool foreground = false;
  bool wait = false;
  bool help = false;
};

inline std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

inline pool_words parse_pool_words(const std::vector<std::string>& words, const std::string& verb) {
  pool_words parsed;
  std::string config_file = environment_value("COROLITH_CONFIG");
  parsed.folder = environment_value("COROLITH_POOLS");
  const bool up = verb == "up";
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("--")) {
      parsed.names.push_back(word);
      continue;
    }
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string name = word.substr(2, equals - 2);
    bool* const says = name == "json"               ? &parsed.json
                       : name == "help"             ? &parsed.help
                       : up && name == "wait"       ? &parsed.wait
                       : up && name == "foreground" ? &parsed.foreground
                                                    : nullptr;
    if (says != nullptr) {
      if (equals != word.size()) throw corolith::config_error("flag --" + name + ": it takes no value");
      *says = true;
      continue;
    }
    const bool known = name == "pools" || (up && (name == "config" || find_pool_row(name) != nullptr));
    if (!known)
      throw corolith::config_error("'--" + name + "' is no flag of corolith pool " + verb + "; --help lists them");
    if (equals == word.size() && i + 1 == words.size())
      throw corolith::config_error("flag --" + name + ": a value was expected after it");
    const std::string value = equals == word.size() ? words[++i] : word.substr(equals + 1);
    if (name == "pools")
      parsed.folder = value;
    else if (name == "config")
      config_file = value;
    else
      parsed.given.flags.set(name, value, "flag --" + name);
  }
  if (up && !config_file.empty() && !parsed.help) parsed.given.file.read_file(config_file);
  return parsed;
}

inline void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw corolith::error(corolith::errc::misuse, "cannot write to standard output");
}

inline corolith::launch::pool_folder folder_of(const pool_words& words, std::size_t names, const std::string& usage) {
  if (words.names.size() != names) throw corolith::config_error("usage: corolith pool " + usage);
  return {words.folder, words.names[0]};
}

inline int pool_show(const pool_words& words, const std::string& usage) {
  const auto folder = folder_of(words, 1, usage);
  const auto now = corolith::pool::ask_head(folder, {"show"});
  const auto record = folder.read();
  if (!record) throw corolith::launch_failed(corolith::launch::no_such_pool(folder));
  print(words.json ? json_of(*record, now) + "\n" : text_of(*record, now));
  return 0;
}

inline int pool_up(const pool_words& words, const std::vector<std::string>& given) {
  const auto folder = folder_of(words, 1, "up NAME");
  pool_sources sources = words.given;
  sources.prefix = "pools." + folder.name() + ".";
  auto options = read_pool(folder.name(), sources);
  options.folder = words.folder;
  if (words.foreground) return be_head(std::move(options));
  start_head(folder, given);
  if (words.wait) wait_for_nodes(folder);
  if (words.json) return pool_show(words, "up NAME");
  const auto record = folder.read();
  if (!record) throw corolith::launch_failed("the pool has gone down already; its log is " + folder.log_file());
  print(fmt::format("pool {} is up: head {} on {}, log in {}\n", folder.name(), record->pid, record->host,
                    folder.log_file()));
  return 0;
}

inline int pool_ls(const pool_words& words) {
  if (!words.names.empty()) throw corolith::config_error("usage: corolith pool ls");
  std::string text, json;
  int status = 0;
  for (const std::string& name : corolith::launch::pool_folder::names(words.folder)) {
    try {
      const corolith::launch::pool_folder folder(words.folder, name);
      const auto now = corolith::pool::ask_head(folder, {"show"});
      const auto record = folder.read();
      if (!record) continue;
      const pool_sums sums = sums_of(now);
      text +=
          fmt::format("{:<16} {:<9} {:<7} {:<20} {:>5}/{:<7} {:>6} {:>6} {:>7}\n", name, now.state, record->launcher,
                      record->host, now.nodes.size(), limits_of(now), sums.slots, sums.leased, now.drivers.size());
      json += (json.empty() ? "" : ",\n ") + json_of(*record, now);
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "corolith: %s\n", problem.what());
      status = 1;
    }
  }
  if (words.json)
    print("[" + json + "]\n");
  else if (!text.empty())
    print(fmt::format("{:<16} {:<9} {:<7} {:<20} {:>5}/{:<7} {:>6} {:>6} {:>7}\n", "NAME", "STATE", "LAUNCH", "HEAD",
                      "NODES", "LIMITS", "SLOTS", "LEASED", "DRIVERS") +
          text);
  return status;
}

inline int pool_scale(const pool_words& words) {
  const auto folder = folder_of(words, 2, "scale NAME N, or N-M");
  const std::string& range = words.names[1];
  const std::size_t dash = range.find('-');
  const std::string least = range.substr(0, dash), most = dash == std::string::npos ? least : range.substr(dash + 1);
  for (const std::string& each : {least, most})
    if (!corolith::whole_number<std::uint32_t>(each))
      throw corolith::config_error("scale: a number of nodes was expected, or two as in 0-8, not '" + range + "'");
  corolith::pool::ask_head(folder, {"scale", least, most});
  return 0;
}

/// Whether the head has ended; on another machine its record must do.
inline bool is_down(const corolith::launch::pool_folder& folder, const corolith::launch::pool_record& was) {
  const auto record = folder.read();
  return (!record || record->pid != was.pid) && corolith::launch::state_of(was) != corolith::launch::head_state::alive;
}

inline int pool_down(const pool_words& words) {
  const auto folder = folder_of(words, 1, "down NAME");
  const auto record = corolith::launch::record_of_pool(folder);
  corolith::pool::ask_head(folder, {"down"});
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!is_down(folder, record)) {
    if (std::chrono::steady_clock::now() > patience)
      throw corolith::launch_failed(
          fmt::format("the pool {} still goes down after two minutes: see {}", folder.name(), folder.log_file()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return 0;
}

inline int pool_command(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(pool_usage, stderr);
    return 2;
  }
  const std::string& verb = words[0];
  if (verb == "--help" || verb == "help") {
    print(pool_usage);
    return 0;
  }
  static constexpr const char* verbs[] = {"up", "ls", "show", "scale", "drain", "down"};
  if (std::find(std::begin(verbs), std::end(verbs), verb) == std::end(verbs))
    throw corolith::config_error("'" + verb + "' is no verb of corolith pool; --help lists them");
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  const pool_words parsed = parse_pool_words(rest, verb);
  if (parsed.help) {
    print(verb == "up" ? pool_up_usage() : pool_usage);
    return 0;
  }
  if (verb == "up") return pool_up(parsed, rest);
  if (verb == "ls") return pool_ls(parsed);
  if (verb == "show") return pool_show(parsed, "show NAME");
  if (verb == "scale") return pool_scale(parsed);
  if (verb == "down") return pool_down(parsed);
  corolith::pool::ask_head(folder_of(parsed, 1, "drain NAME"), {"drain"});
  return 0;
}

}  // namespace tool
