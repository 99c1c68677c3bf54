// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/run/detail/driver_core.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// What is known of the length of calls follows the work within about so many of them.
inline constexpr double measured_window = 64;

COROLITH_DECL void driver_core::measure(const wire::result_head& head) {
  busy_since_ = {};
  if (head.started_ns == 0 || head.ended_ns < head.started_ns) return;
  const auto taken = static_cast<double>(head.ended_ns - head.started_ns);
  const double weight = std::min(static_cast<double>(++measured_calls_), measured_window);
  mean_call_ns_ += (taken - mean_call_ns_) / weight;
}

COROLITH_DECL launch::demand driver_core::demand_now() {
  launch::demand now;
  for (const auto& [batch, entry] : batches_) {
    const std::uint64_t open = std::max(entry.fed, entry.size) - entry.ended;
    if (open == 0) continue;
    now.open += open;
    now.running += scheduler_.counts(batch).sent;
    now.cpus = std::max(now.cpus, entry.limits.cpus);
    now.gpus = std::max(now.gpus, entry.limits.gpus);
    now.memory = std::max(now.memory, entry.limits.memory);
  }
  const auto time = clock::now();
  if (now.running == 0) busy_since_ = {};
  if (now.running != 0 && busy_since_ == clock::time_point{}) busy_since_ = time;
  now.mean_ns = static_cast<std::int64_t>(mean_call_ns_);
  // Calls that none of has ended for so long take that long at least. In steps, so that it is not news all the time.
  if (busy_since_ != clock::time_point{}) {
    const std::int64_t age = (time - busy_since_) / std::chrono::nanoseconds(1);
    if (age > 2 * now.mean_ns)
      now.mean_ns = std::int64_t{1} << (63 - __builtin_clzll(static_cast<unsigned long long>(age | 1)));
  }
  for (const auto& [id, session] : sessions_)
    if (session->ready && scheduler_.load(id).calls != 0) now.busy.push_back(session->hello.launch_tag);
  std::sort(now.busy.begin(), now.busy.end());
  return now;
}

COROLITH_DECL void driver_core::mind_leases() {
  launcher_->wanted(demand_now());
  for (const std::string& tag : launcher_->to_drain()) drain(tag);
  update_capacity();
  for (const auto& [id, session] : sessions_) {
    if (!session->draining || scheduler_.load(id).calls != 0) continue;
    session->channel->send(wire::message_type::shutdown);  // once more does no harm
    session->channel->flush();
  }
}

COROLITH_DECL void driver_core::drain(const std::string& tag) {
  for (const auto& [id, session] : sessions_) {
    if (session->hello.launch_tag != tag || session->host == nullptr) continue;
    session->draining = true;
    if (session->ready) scheduler_.agent_draining(id);
    return;
  }
  drained_early_.insert(tag);
}

COROLITH_DECL void driver_core::agent_refused(agent_session& session, const std::string& reason) {
  last_trouble_ = fmt::format("agent on {}: {}", session.hello.host, reason);
  log::warning(last_trouble_ + "; the pool looks for another node");
  launcher_->gave_up(session.hello.launch_tag, reason);
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
