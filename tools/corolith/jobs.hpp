// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
#include "text.hpp"

#include <corolith/core/command.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/number.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

/// `corolith jobs` and `corolith cancel`: what runs of corolith have in Slurm's queue.
namespace tool {

struct queued_job {
  std::string id, state, reason, nodes, used, limit, partition, start, log, name;
};

/// The output of a Slurm command. Throws launch_failed with its words.
inline std::string ask_slurm(std::vector<std::string> words) {
  corolith::process::command asked(std::move(words), "", std::chrono::seconds(30));
  asked.wait();
  if (!asked.succeeded()) throw corolith::launch_failed(asked.complaint());
  return asked.output();
}

/// Jobs of drivers are named PROGRAM-XXXXXXXX, in hexadecimal digits, and write to job-ID.log.
inline bool is_ours(const queued_job& job) {
  const std::size_t dash = job.name.rfind('-');
  if (dash == std::string::npos || dash == 0 || job.name.size() - dash != 9) return false;
  const std::string_view digits = std::string_view(job.name).substr(dash + 1);
  const std::string_view log = std::string_view(job.log).substr(job.log.rfind('/') + 1);
  return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos && log.starts_with("job-") &&
         log.ends_with(".log");
}

inline std::vector<queued_job> our_jobs() {
  const std::string listed = ask_slurm(
      {"squeue", "--noheader", fmt::format("--user={}", ::getuid()),
       "--Format=JobID:|,State:|,Reason:|,NumNodes:|,TimeUsed:|,TimeLimit:|,Partition:|,StartTime:|,STDOUT:|,Name:|"});
  std::vector<queued_job> ours;
  for (std::string_view rest = listed; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    queued_job job;
    for (std::string* field : {&job.id, &job.state, &job.reason, &job.nodes, &job.used, &job.limit, &job.partition,
                               &job.start, &job.log, &job.name}) {
      const std::size_t end = std::min(line.find('|'), line.size());
      *field = line.substr(0, end);
      line.remove_prefix(std::min(line.size(), end + 1));
    }
    if (job.reason == "None") job.reason.clear();
    for (std::size_t at; (at = job.log.find("%j")) != std::string::npos;) job.log.replace(at, 2, job.id);
    if (is_ours(job)) ours.push_back(std::move(job));
  }
  return ours;
}

inline int list_jobs(const invocation& call) {
  std::string text;
  const std::vector<queued_job> jobs = our_jobs();
  if (call.has("json")) {
    for (const queued_job& job : jobs)
      text += fmt::format(
          R"({{"job":{},"name":{},"state":{},"reason":{},"nodes":{},"partition":{},"used":{},"limit":{},"start":{},"log":{}}})"
          "\n",
          json_string(job.id), json_string(job.name), json_string(job.state), json_string(job.reason),
          corolith::whole_number<std::uint32_t>(job.nodes).value_or(0), json_string(job.partition),
          json_string(job.used), json_string(job.limit), json_string(job.start), json_string(job.log));
  } else if (jobs.empty()) {
    text = "no run of yours has a job in the queue\n";
  } else {
    text = fmt::format("{:<10} {:<24} {:<12} {:>5} {:>12} {:>12} {:<12} {}\n", "job", "name", "state", "nodes", "used",
                       "limit", "partition", "reason");
    for (const queued_job& job : jobs)
      text += fmt::format("{:<10} {:<24} {:<12} {:>5} {:>12} {:>12} {:<12} {}\n", job.id, printable(job.name),
                          job.state, job.nodes, job.used, job.limit, job.partition, job.reason);
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}

inline int cancel_jobs(const invocation& call) {
  if (call.words.empty() == !call.has("all"))
    throw corolith::config_error("cancel: name jobs, as `corolith jobs` lists them, or say --all");
  const std::vector<queued_job> jobs = our_jobs();
  std::vector<std::string> ids;
  int status = 0;
  for (const queued_job& job : jobs)
    if (call.has("all")) ids.push_back(job.id);
  for (const std::string& word : call.words) {
    const bool known = std::any_of(jobs.begin(), jobs.end(),
                                   [&](const queued_job& job) { return word == job.id || word == job.name; });
    if (!known) {
      std::fprintf(stderr, "corolith: '%s' is no job of a run of yours; `corolith jobs` lists them\n", word.c_str());
      status = 1;
    }
    for (const queued_job& job : jobs)
      if (word == job.id || word == job.name) ids.push_back(job.id);
  }
  if (ids.empty()) {
    if (call.has("all")) std::puts("no run of yours has a job in the queue");
    return status;
  }
  std::vector<std::string> words{"scancel"};
  words.insert(words.end(), ids.begin(), ids.end());
  ask_slurm(std::move(words));
  for (const std::string& id : ids) std::printf("cancelled %s\n", id.c_str());
  return status;
}

inline command jobs_command() {
  return {"jobs",
          "",
          "the jobs of your runs in Slurm's queue",
          "Those that drivers have submitted for their agents, whatever terminal they were started from.",
          {{"json", 0, "", "one JSON object a line"}},
          takes::nothing,
          0,
          0,
          list_jobs};
}

inline command cancel_command() {
  return {"cancel",
          "[JOB]...",
          "ends jobs of your runs",
          "JOB is an id or a name of `corolith jobs`; jobs of others and of other programs are left alone. The driver "
          "of a job submits\n"
          "it again as often as --relaunch says: to end the run, end the driver.",
          {{"all", 0, "", "all of them"}},
          takes::nothing,
          0,
          static_cast<std::size_t>(-1),
          cancel_jobs};
}

}  // namespace tool
