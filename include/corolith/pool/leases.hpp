// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <vector>

/// Who gets which slots of a pool: decides, does no I/O and reads no clock.
namespace corolith {
inline namespace v0 {
namespace pool {

struct node_state {
  std::uint32_t slots = 0;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;  ///< bytes; 0: not counted
  bool ending = false;       ///< nothing new goes there
};

struct driver_state {
  std::uint64_t open = 0;  ///< calls that have not ended
  std::uint32_t cpus = 1;  ///< of its largest call
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;
  bool lingers = false;                  ///< it may keep what it has and does not use, as long as nobody else wants it
  std::set<std::uint64_t> refused = {};  ///< nodes that cannot run its program
};

struct lease_state {
  std::uint64_t node = 0;
  std::uint64_t driver = 0;
  std::uint32_t slots = 0;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;
  bool busy = false;      ///< its agent has calls
  bool draining = false;  ///< it was asked back
};

/// All by number; numbers grow with time.
struct pool_state {
  std::map<std::uint64_t, node_state> nodes;
  std::map<std::uint64_t, driver_state> drivers;
  std::map<std::uint64_t, lease_state> leases;
};

struct grant {
  std::uint64_t node = 0;
  std::uint64_t driver = 0;
  std::uint32_t slots = 0;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;

  friend bool operator==(const grant&, const grant&) = default;
};

struct lease_plan {
  std::vector<grant> grants;
  std::vector<std::uint64_t> drains;              ///< leases to ask back
  std::map<std::uint64_t, std::uint64_t> shares;  ///< driver -> slots that it may have now
};

/// What to change now. Drivers share the slots fairly, as far as they have work. A node is given away in parts of a
/// quarter, or as large as a call needs, so that some of it can be taken back without taking all; what is taken back
/// ends the calls that it runs first. Idle leases are taken back before others, and none is when nobody waits for it,
/// but for those that their driver has not used for long.
COROLITH_DECL lease_plan plan_leases(const pool_state& now);

}  // namespace pool
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/pool/impl/leases.ipp>
#endif
