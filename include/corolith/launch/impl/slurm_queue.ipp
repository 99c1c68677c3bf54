// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/launch/detail/slurm_queue.hpp>

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

// Slurm 23.02 made a list of the state and an object with "number" and "set" of each number.
inline std::string text_in(simdjson::dom::element value) {
  if (value.is_array()) {
    simdjson::dom::array several = value.get_array();
    return several.begin() == several.end() ? std::string() : text_in(*several.begin());
  }
  std::string_view text;
  return value.get_string().get(text) ? std::string() : std::string(text);
}

inline std::int64_t number_in(simdjson::dom::element value) {
  simdjson::dom::element inner;
  if (value.is_object()) return value["number"].get(inner) ? 0 : number_in(inner);
  std::int64_t number = 0;
  return value.get_int64().get(number) ? 0 : number;
}

/// "slurm_load_jobs: Unspecified error"; empty when squeue had no complaint.
inline std::string squeue_complaint(simdjson::dom::element answer) {
  simdjson::dom::array errors;
  if (answer["errors"].get_array().get(errors)) return {};
  std::string text;
  for (simdjson::dom::element each : errors)
    for (const char* part : {"source", "error", "description"}) {
      simdjson::dom::element value;
      if (!each[part].get(value) && !text_in(value).empty()) text += (text.empty() ? "" : ": ") + text_in(value);
    }
  return text;
}

COROLITH_DECL slurm_job read_squeue_json(const std::string& text, const std::string& job) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  simdjson::dom::array jobs;
  if (parser.parse(text).get(answer) || answer["jobs"].get_array().get(jobs))
    throw config_error("squeue --json printed no list of jobs");
  for (simdjson::dom::element each : jobs) {
    simdjson::dom::element value;
    if (each["job_id"].get(value) || std::to_string(number_in(value)) != job) continue;
    slurm_job found;
    if (!each["job_state"].get(value)) found.state = text_in(value);
    if (!each["state_reason"].get(value)) found.reason = text_in(value);
    if (!each["start_time"].get(value)) found.start = number_in(value);
    if (found.reason == "None") found.reason.clear();
    return found;
  }
  // With a controller that is away it lists no jobs, says so here, and ends with status 0.
  if (const std::string complaint = squeue_complaint(answer); !complaint.empty())
    throw launch_failed("squeue: " + complaint);
  return {};
}

COROLITH_DECL slurm_job read_squeue_line(std::string_view text) {
  std::array<std::string_view, 3> fields;
  for (std::string_view& field : fields) {
    const std::size_t end = text.find_first_of("|\n");
    field = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos || text[end] == '\n' ? text.size() : end + 1);
  }
  slurm_job found;
  found.state = fields[0];
  if (fields[1] != "None") found.reason = fields[1];
  std::tm when{};
  if (::strptime(std::string(fields[2]).c_str(), "%Y-%m-%dT%H:%M:%S", &when) != nullptr) {
    when.tm_isdst = -1;
    found.start = std::mktime(&when);
  }
  return found;
}

COROLITH_DECL std::vector<std::string> squeue_json_words(const std::string& job) {
  return {"squeue", "--json", "--states=all", "--jobs=" + job};
}

COROLITH_DECL std::vector<std::string> squeue_line_words(const std::string& job) {
  return {"squeue", "--noheader", "--states=all", "--jobs=" + job, "--format=%T|%r|%S"};
}

COROLITH_DECL bool is_waiting(std::string_view state) {
  static constexpr std::array<std::string_view, 6> states{"PENDING",      "CONFIGURING", "REQUEUED",
                                                          "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"};
  return std::find(states.begin(), states.end(), state) != states.end();
}

COROLITH_DECL bool is_over(std::string_view state) {
  static constexpr std::array<std::string_view, 11> states{"BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE",
                                                           "FAILED",    "NODE_FAIL",     "PREEMPTED", "REVOKED",
                                                           "TIMEOUT",   "OUT_OF_MEMORY", ""};
  return std::find(states.begin(), states.end(), state) != states.end();
}

COROLITH_DECL std::string describe(const slurm_job& job, std::int64_t now) {
  if (job.state.empty()) return "no longer known to the queue";
  std::string text = job.state;
  if (!is_over(text))
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!job.reason.empty()) text += " (" + job.reason + ")";
  if (!is_waiting(job.state) || job.start <= now) return text;
  const auto local = [](std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::localtime_r(&time, &parts);
    return parts;
  };
  const std::tm start = local(job.start), today = local(now);
  const bool same_day = start.tm_yday == today.tm_yday && start.tm_year == today.tm_year;
  std::array<char, 32> when{};
  std::strftime(when.data(), when.size(), same_day ? "%H:%M" : "%Y-%m-%d %H:%M", &start);
  return text + ", expected to start " + when.data();
}

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith
