// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/launch/local.hpp>
#include <corolith/launch/slurm.hpp>
#include <corolith/pool/detail/head_core.hpp>

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

inline constexpr std::chrono::seconds first_pause{5};
inline constexpr std::chrono::seconds longest_pause{600};

COROLITH_DECL std::uint32_t head_core::nodes_of(const job& of) const {
  return static_cast<std::uint32_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& each) { return each.second.job == of.id; }));
}

COROLITH_DECL bool head_core::has_leases(const job& of) const {
  return std::any_of(leases_.begin(), leases_.end(), [&](const auto& each) {
    const auto at = nodes_.find(each.second.node);
    return at != nodes_.end() && at->second.job == of.id;
  });
}

COROLITH_DECL elastic_load head_core::load_now() const {
  constexpr std::uint64_t most = std::uint64_t{1} << 32;
  elastic_load load;
  for (const auto& [id, each] : members_) {
    const auto cpus = static_cast<double>(std::max(1U, each.demand.cpus));
    load.wanted_slots += std::min(most, each.demand.open * std::max(1U, each.demand.cpus));
    load.slot_seconds += static_cast<double>(each.demand.open) * cpus * static_cast<double>(each.demand.mean_ns) / 1e9;
  }
  return load;
}

COROLITH_DECL void head_core::resize() {
  if (down_) return;
  const clock::time_point now = clock::now();
  const elastic_load load = load_now();
  std::vector<elastic_job> jobs;
  for (auto& [id, each] : jobs_) {
    if (each.stopped) continue;
    elastic_job seen;
    seen.id = id;
    seen.nodes = each.nodes;
    for (const auto& [node_id, at] : nodes_)
      if (at.job == id) seen.slots += at.hello.cpus;
    const std::uint32_t here = nodes_of(each);
    seen.ending = each.ending;
    if (here == each.nodes && !std::exchange(each.was_up, true)) {
      elasticity_.started_within(now - each.started);
      each.used = now;
      failures_ = 0;
      trouble_.clear();
    }
    seen.up = each.was_up;
    if (seen.up) seen.nodes = here;  // a node that is lost stays lost
    if (seen.up ? has_leases(each) : load.wanted_slots != 0) each.used = now;
    seen.unused = now - each.used;
    jobs.push_back(seen);
  }
  const elastic_plan made = elasticity_.decide(load, jobs, now);
  for (const std::uint64_t id : made.stop) stop_job(jobs_.at(id));
  for (std::uint32_t i = 0; i < made.start && now >= start_again_; ++i) start_job();
}

COROLITH_DECL void head_core::start_job() {
  const std::uint64_t id = ++last_id_;
  job& made = jobs_[id];
  made.id = id;
  made.nodes = std::max(1U, settings_.size.nodes_per_job);
  made.started = made.used = made.awaited = clock::now();
  made.folder = fmt::format("{}/job-{}", folder_.path(), id);
  launch::request what;
  what.connect = record_.addresses;
  what.secret_file = folder_.secret_file();
  what.session_folder = made.folder;
  what.cache_folder = settings_.cache_folder;
  what.log_level = settings_.log_level;
  what.agents = made.nodes;
  what.slots = settings_.slots;
  what.gpus = settings_.gpus;
  what.memory = settings_.memory;
  what.patience = settings_.launch_timeout;
  what.role = "--corolith-resident";
  what.more = {fmt::format("job={}", id)};
  what.name = "corolith-" + settings_.name;
  log::info(fmt::format("job {} is started: {} nodes", id, made.nodes));
  try {
    if (::mkdir(made.folder.c_str(), 0700) != 0) throw launch_failed("cannot make the folder " + made.folder);
    if (settings_.launcher == "slurm") {
      slurm_options slurm = settings_.slurm;
      const auto notice = std::chrono::duration_cast<std::chrono::seconds>(settings_.notice).count();
      // A signal that is ignored by whoever does not know it: Slurm sends it to all processes of the step.
      if (notice > 0) slurm.arguments += fmt::format(" --signal=URG@{}", notice);
      made.launcher = std::make_unique<launch::slurm>(std::move(slurm), gate_);
    } else {
      made.launcher = std::make_unique<launch::local>();
    }
    made.launcher->start(what);
  } catch (const std::exception& problem) {
    back_off(problem.what());
    remove_job(id);
  }
}

// Its nodes get nothing new; what runs there may end, and what waits there goes elsewhere.
COROLITH_DECL void head_core::stop_job(job& of) {
  of.ending = true;
  for (auto& [id, each] : nodes_)
    if (each.job == of.id) each.ending = true;
  log::info(fmt::format("job {} is given back", of.id));
}

COROLITH_DECL void head_core::back_off(const std::string& trouble) {
  auto pause = first_pause * (1 << std::min(failures_, 7));
  pause = std::min(pause, longest_pause);
  ++failures_;
  start_again_ = clock::now() + pause;
  trouble_ = trouble;
  log::warning(fmt::format("{}; the next attempt is in {} s", trouble, pause.count()));
}

COROLITH_DECL void head_core::job_failed(job& of, const launch::unit_exit& how) {
  std::string why = how.reason;
  if (!how.log_tail.empty()) why += "\nlast lines of its log:\n" + how.log_tail;
  stop_job(of);
  if (!of.was_up || how.hopeless) return back_off(why);
  trouble_ = why;
  log::warning(why);
}

COROLITH_DECL void head_core::remove_job(std::uint64_t id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const std::string folder = found->second.folder;
  jobs_.erase(found);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

// The time in a queue does not count.
COROLITH_DECL void head_core::check_launch_timeout(job& of, std::uint32_t nodes) {
  const clock::time_point now = clock::now();
  if (of.was_up || of.ending || nodes != 0 || of.launcher->delayed_by().of_others) of.awaited = now;
  if (now - of.awaited <= settings_.launch_timeout) return;
  const double seconds = std::chrono::duration<double>(settings_.launch_timeout).count();
  job_failed(of, {0,
                  fmt::format("no node of job {} was up after {} s (launch-timeout); {}", of.id, seconds,
                              of.launcher->delayed_by().reason),
                  {},
                  false});
}

COROLITH_DECL void head_core::mind_jobs() {
  std::vector<std::uint64_t> over;
  for (auto& [id, each] : jobs_) {
    for (const launch::unit_exit& exit : each.launcher->ended())
      if (!each.stopped && !down_) job_failed(each, exit);
    const std::uint32_t nodes = nodes_of(each);
    each.launcher->connected(nodes);
    check_launch_timeout(each, nodes);
    if (each.ending && !each.stopped && !has_leases(each)) {
      each.stopped = true;
      each.kill_at = clock::now() + std::chrono::seconds(60);
      for (auto& [node_id, at] : nodes_)
        if (at.job == id) at.channel->send(wire::message_type::shutdown);
      each.launcher->stop();
    }
    if (!each.stopped) continue;
    if (clock::now() >= each.kill_at) each.launcher->kill();
    if (each.launcher->all_gone()) over.push_back(id);
  }
  for (const std::uint64_t id : over) remove_job(id);
}

}  // namespace detail
}  // namespace pool
}  // namespace v0
}  // namespace corolith
