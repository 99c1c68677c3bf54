// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <atomic>
#include <cstdint>

namespace corolith::inline v0::storage::detail {

/// What a backend counts for `backend::moved`. Thread-safe.
struct traffic_counter {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> sent{0};
};

}  // namespace corolith::inline v0::storage::detail
