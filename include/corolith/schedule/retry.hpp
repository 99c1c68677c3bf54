// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/types.hpp>

#include <cstdint>

namespace corolith::inline v0::schedule {

/// What earlier attempts of a call have cost it.
struct call_history {
  std::uint32_t failures = 0;  ///< executions that used up a retry
  std::uint32_t losses = 0;    ///< workers that died under it
  bool cancelled = false;      ///< somebody has cancelled it
};

/// What an outcome means for its call.
enum class consequence : std::uint8_t { deliver, retry_at_cost, retry_free, fail_cancelled, fail_poison };

/// The retry policy, all of it. The user's retries pay for what the function does (throw, take too long, use too much
/// memory); a worker that dies is not its fault until it has happened `poison_after` times, counting this one.
inline consequence judge(outcome_kind kind, const call_history& past, std::uint32_t retries,
                         std::uint32_t poison_after) noexcept {
  switch (kind) {
    case outcome_kind::value:
    case outcome_kind::unknown_function:
    case outcome_kind::codec: return consequence::deliver;
    case outcome_kind::exception:
    case outcome_kind::timeout:
    case outcome_kind::memory:
      return !past.cancelled && past.failures < retries ? consequence::retry_at_cost : consequence::deliver;
    case outcome_kind::worker_lost:
      if (past.cancelled) return consequence::fail_cancelled;
      return past.losses + 1 >= poison_after ? consequence::fail_poison : consequence::retry_free;
    case outcome_kind::cancelled: break;
  }
  return consequence::fail_cancelled;
}

}  // namespace corolith::inline v0::schedule
