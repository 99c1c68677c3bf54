// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/semaphore.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/buffer_pool.hpp>
#include <corolith/s3/detail/client_core.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

/// A share of the memory budget. Goes back with its owner, on any thread, while the client lives.
class share {
 public:
  share() noexcept = default;
  share(client_core* of, semaphore::permit permit, std::size_t size) noexcept;
  share(share&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), size_(other.size_), permit_(std::move(other.permit_)) {}
  share& operator=(share&& other) noexcept {
    share moved(std::move(other));
    std::swap(core_, moved.core_);
    std::swap(size_, moved.size_);
    std::swap(permit_, moved.permit_);
    return *this;
  }
  ~share() {
    if (core_ != nullptr) core_->counted.memory_in_use.fetch_sub(size_, std::memory_order_relaxed);
  }

 private:
  client_core* core_ = nullptr;
  std::size_t size_ = 0;
  semaphore::permit permit_;
};

/// Waits for it, in the order in which it is asked for. More than the whole budget counts as the whole.
COROLITH_DECL task<share> reserve(client_core* core, std::size_t size);
/// Only if there is enough now and nobody waits.
COROLITH_DECL std::optional<share> try_reserve(client_core* core, std::size_t size);

/// Memory of the budget.
struct reserved_buffer {
  share of;
  pooled_buffer memory;
};
COROLITH_DECL task<reserved_buffer> reserve_buffer(client_core* core, std::size_t size);

/// A vector of that size. Its memory is on huge pages, where it has any.
COROLITH_DECL std::vector<std::byte> make_bytes(std::size_t size);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/reserved.ipp>
#endif
