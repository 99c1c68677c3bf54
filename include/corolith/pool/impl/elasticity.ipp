// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/pool/elasticity.hpp>

#include <algorithm>
#include <cmath>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

/// What all jobs that last have together.
struct fleet {
  std::uint32_t nodes = 0;
  std::uint32_t jobs = 0;
  std::uint64_t slots = 0;  // of nodes that are up, and of those on their way as far as nodes are known to be alike
  double slots_of_job = 0;  // 0: not known
  bool any_coming = false;
};

inline fleet count(const std::vector<elastic_job>& jobs, std::uint32_t nodes_per_job) {
  fleet all;
  std::uint64_t known = 0, of_nodes = 0;
  for (const elastic_job& job : jobs)
    if (job.up && job.slots != 0) {  // also of those that end
      known += job.slots;
      of_nodes += job.nodes;
    }
  const double of_node = of_nodes == 0 ? 0 : static_cast<double>(known) / static_cast<double>(of_nodes);
  all.slots_of_job = of_node * nodes_per_job;
  for (const elastic_job& job : jobs) {
    if (job.ending) continue;
    ++all.jobs;
    all.nodes += job.nodes;
    all.any_coming = all.any_coming || !job.up;
    all.slots += job.up ? job.slots : std::max(job.slots, static_cast<std::uint64_t>(of_node * job.nodes));
  }
  return all;
}

inline std::uint32_t jobs_for(std::uint32_t nodes, std::uint32_t nodes_per_job) {
  return (nodes + nodes_per_job - 1) / nodes_per_job;
}

}  // namespace detail

// A queue that was long once may be short now: what was last seen counts half.
COROLITH_DECL void elasticity::started_within(std::chrono::nanoseconds time) { startup_ = (startup_ + time) / 2; }

COROLITH_DECL std::uint32_t elasticity::growth(const elastic_load& load, const std::vector<elastic_job>& jobs,
                                               time_point now) {
  const std::uint32_t per_job = std::max(1U, settings_.nodes_per_job);
  const detail::fleet all = detail::count(jobs, per_job);
  if (all.nodes < settings_.min_nodes) return detail::jobs_for(settings_.min_nodes - all.nodes, per_job);
  const std::uint32_t room = settings_.max_nodes > all.nodes ? (settings_.max_nodes - all.nodes) / per_job : 0;
  if (load.wanted_slots <= all.slots || room == 0) {
    lacking_since_.reset();
    return 0;
  }
  if (all.jobs == 0) return 1;
  // Until one is up nobody knows how large they are.
  if (all.slots_of_job <= 0) return 0;
  const double startup = std::chrono::duration<double>(startup_).count();
  const double horizon = 2 * startup;  // half of it goes by before a new job is of any use
  const double left = load.slot_seconds / std::max<double>(1, static_cast<double>(all.slots));
  if (left <= horizon) {
    lacking_since_.reset();
    return 0;
  }
  if (!lacking_since_) lacking_since_ = now;
  if (now - *lacking_since_ < settings_.settle) return 0;
  lacking_since_.reset();
  const double useful = std::min(static_cast<double>(load.wanted_slots), std::ceil(load.slot_seconds / horizon));
  const double more = std::ceil((useful - static_cast<double>(all.slots)) / all.slots_of_job);
  if (more < 1) return 0;
  return static_cast<std::uint32_t>(std::min({more, static_cast<double>(room), static_cast<double>(all.jobs)}));
}

COROLITH_DECL elastic_plan elasticity::decide(const elastic_load& load, const std::vector<elastic_job>& jobs,
                                              time_point now) {
  elastic_plan plan;
  plan.start = growth(load, jobs, now);
  if (plan.start != 0) return plan;
  const detail::fleet all = detail::count(jobs, std::max(1U, settings_.nodes_per_job));
  const elastic_job* stop = nullptr;
  for (const elastic_job& job : jobs) {
    if (job.ending || all.nodes < job.nodes + settings_.min_nodes) continue;
    const bool too_many = all.nodes > settings_.max_nodes;
    // What takes long to come is kept longer.
    if (!too_many && job.unused < std::max(settings_.idle, job.up ? startup_ : std::chrono::nanoseconds(0))) continue;
    if (!too_many && load.wanted_slots > all.slots - std::min(all.slots, job.slots)) continue;
    if (stop == nullptr || job.unused > stop->unused) stop = &job;
  }
  if (stop != nullptr) plan.stop.push_back(stop->id);
  return plan;
}

}  // namespace pool
}  // namespace v0
}  // namespace corolith
