// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
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

inline std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

inline void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw corolith::error(corolith::errc::misuse, "cannot write to standard output");
}

inline std::string folder_of_pools(const invocation& call) {
  return call.value("pools", environment_value("COROLITH_POOLS"));
}
inline corolith::launch::pool_folder folder_of(const invocation& call) {
  return {folder_of_pools(call), call.words[0]};
}

inline int pool_show(const invocation& call) {
  const auto folder = folder_of(call);
  const auto now = corolith::pool::ask_head(folder, {"show"});
  const auto record = folder.read();
  if (!record) throw corolith::launch_failed(corolith::launch::no_such_pool(folder));
  print(call.has("json") ? json_of(*record, now) + "\n" : text_of(*record, now));
  return 0;
}

/// What `call` was given, as words of another process.
inline std::vector<std::string> words_of(const invocation& call) {
  std::vector<std::string> words = call.words;
  for (const flag& each : call.of.flags)
    if (call.has(each.name))
      words.push_back("--" + each.name + (each.value.empty() ? "" : "=" + call.value(each.name)));
  return words;
}

inline pool_sources sources_of(const invocation& call, const std::string& pool) {
  pool_sources sources;
  sources.prefix = "pools." + pool + ".";
  for (const pool_row& row : pool_rows())
    if (call.has(row.name)) sources.flags.set(row.name, call.value(row.name), std::string("flag --") + row.name);
  const std::string file = call.value("config", environment_value("COROLITH_CONFIG"));
  if (!file.empty()) sources.file.read_file(file);
  return sources;
}

inline int pool_up(const invocation& call) {
  const auto folder = folder_of(call);
  auto options = read_pool(folder.name(), sources_of(call, folder.name()));
  options.folder = folder_of_pools(call);
  if (call.has("foreground")) return be_head(std::move(options));
  start_head(folder, words_of(call));
  if (call.has("wait")) wait_for_nodes(folder);
  if (call.has("json")) return pool_show(call);
  const auto record = folder.read();
  if (!record) throw corolith::launch_failed("the pool has gone down already; its log is " + folder.log_file());
  print(fmt::format("pool {} is up: head {} on {}, log in {}\n", folder.name(), record->pid, record->host,
                    folder.log_file()));
  return 0;
}

inline int pool_ls(const invocation& call) {
  std::string text, json;
  int status = 0;
  for (const std::string& name : corolith::launch::pool_folder::names(folder_of_pools(call))) {
    try {
      const corolith::launch::pool_folder folder(folder_of_pools(call), name);
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
  if (call.has("json"))
    print("[" + json + "]\n");
  else if (!text.empty())
    print(fmt::format("{:<16} {:<9} {:<7} {:<20} {:>5}/{:<7} {:>6} {:>6} {:>7}\n", "NAME", "STATE", "LAUNCH", "HEAD",
                      "NODES", "LIMITS", "SLOTS", "LEASED", "DRIVERS") +
          text);
  return status;
}

inline int pool_scale(const invocation& call) {
  const auto folder = folder_of(call);
  const std::string& range = call.words[1];
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

inline int pool_down(const invocation& call) {
  const auto folder = folder_of(call);
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

inline int pool_drain(const invocation& call) {
  corolith::pool::ask_head(folder_of(call), {"drain"});
  return 0;
}

inline std::vector<command> pool_commands() {
  const flag pools{"pools", 0, "PATH", "where pools leave their records (COROLITH_POOLS, ~/.corolith/pools)"};
  const flag json{"json", 0, "", "tells of it as JSON"};
  std::vector<flag> up{
      {"foreground", 0, "", "the head is this process, for use in a job or under systemd"},
      {"wait", 0, "", "until the least number of nodes is up"},
      {"config", 0, "FILE", "JSON file with {\"pools\": {\"NAME\": {\"launcher\": \"slurm\", ...}}} (COROLITH_CONFIG)"},
      pools,
      json};
  for (const pool_row& row : pool_rows()) up.push_back({row.name, 0, row.value, row.help});
  constexpr auto nothing = takes::nothing;
  return {{"pool",
           "VERB ...",
           "starts, lists, scales and ends pools of nodes that programs share",
           "",
           {},
           nothing,
           0,
           any_number,
           nullptr},
          {"pool up", "NAME", "starts a pool; programs use it by --pool NAME",
           "Starts the head of a pool in the background, and with it the pool. Its log is in the pool's folder. The "
           "flags after --json are "
           "keys of the file, too.",
           std::move(up), nothing, 1, 1, &pool_up},
          {"pool ls",
           "",
           "lists the pools",
           "One line for each, of those whose heads answer.",
           {pools, json},
           nothing,
           0,
           0,
           &pool_ls},
          {"pool show", "NAME", "its jobs, nodes and programs", "", {pools, json}, nothing, 1, 1, &pool_show},
          {"pool scale",
           "NAME N",
           "to N nodes; N-M: as many as the work needs, from N to M",
           "",
           {pools},
           nothing,
           2,
           2,
           &pool_scale},
          {"pool drain",
           "NAME",
           "takes no new programs, and goes down when the last one has left",
           "",
           {pools},
           nothing,
           1,
           1,
           &pool_drain},
          {"pool down", "NAME", "ends it now; the calls of its programs fail", "", {pools}, nothing, 1, 1, &pool_down}};
}

}  // namespace tool
