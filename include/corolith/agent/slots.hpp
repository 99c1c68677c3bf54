// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {

/// What a node holds for its workers. One slot is one cpu.
struct node_capacity {
  std::uint32_t cpus = 1;
  std::uint64_t memory = 0;            ///< bytes; 0: not counted
  std::vector<int> cpu_list;           ///< processors to pin workers to; no pinning when there are fewer than `cpus`
  std::vector<std::string> gpu_names;  ///< what CUDA_VISIBLE_DEVICES calls them
};

/// The part of a node that one worker has.
struct slot_share {
  std::uint32_t cpus = 0;
  std::vector<int> pinned;  ///< processors to run on; empty: wherever the kernel likes
  std::vector<std::string> gpus;
};

/// Keeps the books of a node's cpus, gpus and memory. No I/O, not thread-safe.
class slots {
 public:
  explicit slots(node_capacity node)
      : node_(std::move(node)), free_cpus_(node_.cpus), free_memory_(signed_of(node_.memory)) {
    const bool pins = node_.cpu_list.size() >= node_.cpus;
    if (pins) cpu_users_.resize(node_.cpu_list.size(), 0);
    gpu_users_.resize(node_.gpu_names.size(), 0);
  }

  const node_capacity& capacity() const noexcept { return node_; }
  std::uint32_t gpus() const noexcept { return static_cast<std::uint32_t>(node_.gpu_names.size()); }

  /// A share for a new worker, or nothing while too much is in use. A worker that asks for more than the node ever has gets
  /// the whole node: the driver does not send such calls to a node on purpose.
  std::optional<slot_share> acquire(std::uint32_t cpus, std::uint32_t want_gpus) {
    cpus = std::clamp<std::uint32_t>(cpus, 1, std::max<std::uint32_t>(1, node_.cpus));
    want_gpus = std::min(want_gpus, gpus());
    const auto free_gpus = static_cast<std::uint32_t>(std::count(gpu_users_.begin(), gpu_users_.end(), 0));
    if (free_cpus_ < static_cast<std::int64_t>(cpus) || free_gpus < want_gpus) return std::nullopt;
    slot_share share;
    share.cpus = cpus;
    for (std::size_t index : least_used(cpu_users_, cpus)) share.pinned.push_back(node_.cpu_list[index]);
    for (std::size_t index : least_used(gpu_users_, want_gpus)) share.gpus.push_back(node_.gpu_names[index]);
    count(share, 1);
    return share;
  }

  void release(const slot_share& share) noexcept { count(share, -1); }

  /// Takes back a share that was released for a while, even if others use it now.
  void take_back(const slot_share& share) noexcept { count(share, 1); }

  bool over_committed() const noexcept {
    return free_cpus_ < 0 || std::any_of(gpu_users_.begin(), gpu_users_.end(), [](int users) { return users > 1; });
  }

  /// Memory is counted apart: it belongs to a call, not to the worker that runs it.
  bool reserve_memory(std::uint64_t bytes) noexcept {
    if (!memory_fits(bytes)) return false;
    free_memory_ -= signed_of(effective(bytes));
    return true;
  }
  bool memory_fits(std::uint64_t bytes) const noexcept {
    return node_.memory == 0 || bytes == 0 || signed_of(effective(bytes)) <= free_memory_;
  }
  void release_memory(std::uint64_t bytes) noexcept { free_memory_ += signed_of(effective(bytes)); }

 private:
  static std::int64_t signed_of(std::uint64_t bytes) noexcept { return static_cast<std::int64_t>(bytes); }
  std::uint64_t effective(std::uint64_t bytes) const noexcept { return std::min(bytes, node_.memory); }

  static std::vector<std::size_t> least_used(const std::vector<int>& users, std::size_t wanted) {
    std::vector<std::size_t> order(users.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return std::pair(users[a], a) < std::pair(users[b], b); });
    order.resize(std::min(wanted, order.size()));
    std::sort(order.begin(), order.end());
    return order;
  }

  void count(const slot_share& share, int change) noexcept {
    free_cpus_ -= static_cast<std::int64_t>(share.cpus) * change;
    for (std::size_t i = 0; i < cpu_users_.size(); ++i)
      if (std::find(share.pinned.begin(), share.pinned.end(), node_.cpu_list[i]) != share.pinned.end())
        cpu_users_[i] += change;
    for (std::size_t i = 0; i < gpu_users_.size(); ++i)
      if (std::find(share.gpus.begin(), share.gpus.end(), node_.gpu_names[i]) != share.gpus.end())
        gpu_users_[i] += change;
  }

  node_capacity node_;
  std::int64_t free_cpus_;
  std::int64_t free_memory_;
  std::vector<int> cpu_users_;
  std::vector<int> gpu_users_;
};

}  // namespace agent
}  // namespace v0
}  // namespace corolith
