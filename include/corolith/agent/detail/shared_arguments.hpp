// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker_context.hpp>
#include <corolith/core/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// The shared arguments of a batch, once for all slots of a process.
struct shared_arguments {
  /// What `arrived` stands for. Other slots wait while one brings it.
  shared_bytes bytes(const shared_bytes& arrived) {
    const std::lock_guard lock(guard);
    if (!fetched_) bytes_ = courier.fetch != nullptr ? courier.fetch(arrived).value_or(arrived) : arrived;
    fetched_ = true;
    return bytes_;
  }
  /// What was decoded, for one slot: with a count of its own, so that slots do not meet in it with every call.
  std::shared_ptr<void> kept() {
    const std::lock_guard lock(guard);
    if (!decoded) return nullptr;
    const auto own = std::make_shared<std::shared_ptr<void>>(decoded);
    return {own, own->get()};
  }

  std::mutex guard;

 private:
  bool fetched_ = false;
  shared_bytes bytes_;

 public:
  std::shared_ptr<void> decoded;  // by codec::invocation; may look into the bytes, so that it goes before them
};

/// Those of the batches that slots of this process know. Thread-safe.
class shared_arguments_table {
 public:
  std::shared_ptr<shared_arguments> of(std::uint64_t batch) {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= sweep_at_) {
      std::erase_if(known_, [](const auto& each) { return each.second.expired(); });
      sweep_at_ = std::max<std::size_t>(64, 2 * known_.size());
    }
    std::weak_ptr<shared_arguments>& place = known_[batch];
    std::shared_ptr<shared_arguments> found = place.lock();
    if (!found) place = found = std::make_shared<shared_arguments>();
    return found;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::weak_ptr<shared_arguments>> known_;
  std::size_t sweep_at_ = 64;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
