// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/pool/fair_share.hpp>
#include <corolith/pool/leases.hpp>

#include <algorithm>
#include <tuple>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

/// What is not in any lease of a node.
struct free_part {
  std::uint32_t slots = 0;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;
};

/// The state with the sums that decisions need, and the plan as it grows.
class planner {
 public:
  explicit planner(const pool_state& now) : now_(now) {
    for (const auto& [id, node] : now_.nodes) {
      free_[id] = {node.slots, node.gpus, node.memory};
      if (!node.ending) total_ += node.slots;
    }
    for (const auto& [id, lease] : now_.leases) {
      take(lease.node, lease.slots, lease.gpus, lease.memory);
      const auto node = now_.nodes.find(lease.node);
      const bool lasts = node != now_.nodes.end() && !node->second.ending;
      if (!lease.draining && lasts) holds_[lease.driver] += lease.slots;
      if (lease.draining && lasts) coming_ += lease.slots;
      if (!lease.draining && !lasts) plan_.drains.push_back(id);
    }
  }

  lease_plan run() {
    share();
    grant_free();
    if (missing() > coming_) take_from_others(missing() - coming_);
    make_room();
    return_idle();
    return std::move(plan_);
  }

 private:
  std::uint64_t wanted(const driver_state& driver) const {
    const std::uint64_t cpus = std::max(1U, driver.cpus);
    return driver.open > total_ / cpus ? total_ : driver.open * cpus;
  }

  void take(std::uint64_t node, std::uint32_t slots, std::uint32_t gpus, std::uint64_t memory) {
    const auto found = free_.find(node);
    if (found == free_.end()) return;
    free_part& part = found->second;
    part.slots -= std::min(part.slots, slots);
    part.gpus -= std::min(part.gpus, gpus);
    part.memory -= std::min(part.memory, memory);
  }

  void share() {
    std::vector<claim> claims;
    for (const auto& [id, driver] : now_.drivers) claims.push_back({wanted(driver), holds_[id]});
    const std::vector<std::uint64_t> shares = fair_share(claims, total_);
    std::size_t at = 0;
    for (const auto& each : now_.drivers) plan_.shares[each.first] = shares[at++];
  }

  std::uint64_t deficit(std::uint64_t driver) {
    const std::uint64_t share = plan_.shares[driver], holds = holds_[driver];
    return share > holds ? share - holds : 0;
  }
  std::uint64_t excess(std::uint64_t driver) {
    const std::uint64_t share = plan_.shares[driver], holds = holds_[driver];
    return holds > share ? holds - share : 0;
  }
  std::uint64_t missing() {
    std::uint64_t all = 0;
    for (const auto& each : now_.drivers) all += deficit(each.first);
    return all;
  }

  /// What the largest call of the driver needs there, or all that there is.
  static free_part need_of(const driver_state& driver, const node_state& node) {
    return {std::clamp(driver.cpus, 1U, std::max(1U, node.slots)), std::min(driver.gpus, node.gpus),
            std::min(driver.memory, node.memory)};
  }

  bool fits(const driver_state& driver, std::uint64_t node) const {
    const free_part need = need_of(driver, now_.nodes.at(node)), &part = free_.at(node);
    return part.slots >= need.slots && part.gpus >= need.gpus && part.memory >= need.memory && part.slots != 0;
  }

  /// A part of a node for a driver that lacks so many slots. GPUs and memory go along with the slots.
  grant part_for(std::uint64_t id, const driver_state& driver, std::uint64_t node_id, std::uint64_t lacks) const {
    const node_state& node = now_.nodes.at(node_id);
    const free_part need = need_of(driver, node), &part = free_.at(node_id);
    const std::uint32_t quarter = std::max((node.slots + 3) / 4, need.slots);
    const auto slots = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(std::min<std::uint64_t>(lacks, quarter), need.slots, part.slots));
    const auto along = [&](std::uint64_t all, std::uint64_t least, std::uint64_t left) {
      const auto fraction = static_cast<double>(slots) / static_cast<double>(node.slots);
      const auto even = static_cast<std::uint64_t>(static_cast<double>(all) * fraction);
      return slots == part.slots && slots == node.slots ? left : std::min(left, std::max(least, even));
    };
    return {node_id, id, slots, static_cast<std::uint32_t>(along(node.gpus, need.gpus, part.gpus)),
            along(node.memory, need.memory, part.memory)};
  }

  /// The fullest node that has room, so that others stay empty and can be given back.
  std::uint64_t node_for(const driver_state& driver) const {
    std::uint64_t best = 0;
    for (const auto& [id, node] : now_.nodes) {
      if (node.ending || driver.refused.contains(id) || !fits(driver, id)) continue;
      if (best == 0 || free_.at(id).slots < free_.at(best).slots) best = id;
    }
    return best;
  }

  // Who has least is served first.
  void grant_free() {
    std::set<std::uint64_t> unserved;
    for (;;) {
      std::uint64_t next = 0;
      for (const auto& [id, driver] : now_.drivers) {
        if (deficit(id) == 0 || unserved.contains(id)) continue;
        if (next == 0 || holds_[id] < holds_[next]) next = id;
      }
      if (next == 0) return;
      const driver_state& driver = now_.drivers.at(next);
      const std::uint64_t node = node_for(driver);
      if (node == 0) {
        unserved.insert(next);
        continue;
      }
      const grant made = part_for(next, driver, node, deficit(next));
      take(node, made.slots, made.gpus, made.memory);
      holds_[next] += made.slots;
      plan_.grants.push_back(made);
    }
  }

  void drain(std::uint64_t id, const lease_state& lease) {
    plan_.drains.push_back(id);
    holds_[lease.driver] -= std::min<std::uint64_t>(holds_[lease.driver], lease.slots);
    coming_ += lease.slots;
  }
  bool is_drained(std::uint64_t id, const lease_state& lease) const {
    return lease.draining || std::find(plan_.drains.begin(), plan_.drains.end(), id) != plan_.drains.end();
  }

  /// The leases that may be asked back, those that cost least first: idle, small, new.
  std::vector<std::uint64_t> candidates() const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, lease] : now_.leases)
      if (!is_drained(id, lease) && now_.drivers.contains(lease.driver)) ids.push_back(id);
    const auto cost = [&](std::uint64_t id) {
      const lease_state& lease = now_.leases.at(id);
      return std::tuple(lease.busy, lease.slots, ~id);
    };
    std::sort(ids.begin(), ids.end(), [&](std::uint64_t a, std::uint64_t b) { return cost(a) < cost(b); });
    return ids;
  }

  // From whoever has more than the fair share; more than the excess only for somebody who has nothing at all.
  void take_from_others(std::uint64_t lacking) {
    for (const std::uint64_t id : candidates()) {
      if (lacking == 0) return;
      const lease_state& lease = now_.leases.at(id);
      if (lease.slots > excess(lease.driver)) continue;
      drain(id, lease);
      lacking -= std::min<std::uint64_t>(lacking, lease.slots);
    }
    if (lacking == 0 || coming_ != 0 || !somebody_has_nothing()) return;
    for (const std::uint64_t id : candidates())
      if (excess(now_.leases.at(id).driver) != 0) return drain(id, now_.leases.at(id));
  }

  bool somebody_has_nothing() {
    return std::any_of(now_.drivers.begin(), now_.drivers.end(),
                       [&](const auto& each) { return deficit(each.first) != 0 && holds_[each.first] == 0; });
  }

  // Slots are free, in pieces that are too small for a driver that has nothing: one node is cleared for it.
  void make_room() {
    if (coming_ != 0) return;
    for (const auto& [id, driver] : now_.drivers) {
      if (deficit(id) == 0 || holds_[id] != 0 || node_for(driver) != 0) continue;
      std::uint64_t best = 0;
      for (const auto& [node_id, node] : now_.nodes) {
        if (node.ending || driver.refused.contains(node_id)) continue;
        if (best == 0 || free_.at(node_id).slots > free_.at(best).slots) best = node_id;
      }
      if (best == 0) continue;
      const std::uint32_t need = need_of(driver, now_.nodes.at(best)).slots;
      std::uint32_t room = free_.at(best).slots;
      for (const std::uint64_t lease : candidates()) {
        if (room >= need && coming_ != 0) break;
        if (now_.leases.at(lease).node != best) continue;
        room += now_.leases.at(lease).slots;
        drain(lease, now_.leases.at(lease));
      }
      return;
    }
  }

  void return_idle() {
    for (const std::uint64_t id : candidates()) {
      const lease_state& lease = now_.leases.at(id);
      if (lease.busy || now_.drivers.at(lease.driver).lingers || lease.slots > excess(lease.driver)) continue;
      drain(id, lease);
    }
  }

  const pool_state& now_;
  std::map<std::uint64_t, free_part> free_;
  std::map<std::uint64_t, std::uint64_t> holds_;  // slots that each driver will have when all is done
  std::uint64_t total_ = 0;
  std::uint64_t coming_ = 0;  // slots that were asked back
  lease_plan plan_;
};

}  // namespace detail

COROLITH_DECL lease_plan plan_leases(const pool_state& now) { return detail::planner(now).run(); }

}  // namespace pool
}  // namespace v0
}  // namespace corolith
