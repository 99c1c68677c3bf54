// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

/// How many jobs a pool has: decides, does no I/O and reads no clock.
namespace corolith {
inline namespace v0 {
namespace pool {

struct elastic_settings {
  std::uint32_t min_nodes = 1;
  std::uint32_t max_nodes = 1;
  std::uint32_t nodes_per_job = 1;
  std::chrono::nanoseconds idle =
      std::chrono::seconds(60);  ///< a job of which nothing was used for so long is given back
  /// How long a new job takes to be of use, as long as none has shown it.
  std::chrono::nanoseconds first_startup = std::chrono::seconds(10);
  std::chrono::nanoseconds settle = std::chrono::seconds(1);  ///< more work than slots is believed after so long
};

/// What there is to do.
struct elastic_load {
  std::uint64_t wanted_slots = 0;  ///< that could be busy at once
  double slot_seconds = 0;         ///< work that is left, for one slot
};

struct elastic_job {
  std::uint64_t id = 0;
  std::uint32_t nodes = 1;
  std::uint64_t slots = 0;  ///< of all its nodes that are up; 0: it is on its way
  bool up = false;          ///< all its nodes are
  bool ending = false;      ///< its time is nearly over: it is not counted any more
  std::chrono::nanoseconds unused{
      0};  ///< for how long nothing of it has been used, or nothing wanted while it is on its way
};

struct elastic_plan {
  std::uint32_t start = 0;          ///< jobs to start
  std::vector<std::uint64_t> stop;  ///< jobs to end
};

/// Grows a pool when the work that is left would keep it busy for longer than new nodes take to come, and shrinks it
/// when nodes have been idle. It grows to twice its size at most in one step, so that what the first nodes do is
/// known before the last ones are asked for.
class elasticity {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit elasticity(elastic_settings settings) : settings_(settings), startup_(settings.first_startup) {}

  void limits(std::uint32_t min_nodes, std::uint32_t max_nodes) noexcept {
    settings_.min_nodes = min_nodes;
    settings_.max_nodes = max_nodes;
  }
  const elastic_settings& settings() const noexcept { return settings_; }

  /// A job took so long from its start until all its nodes were up.
  COROLITH_DECL void started_within(std::chrono::nanoseconds time);
  std::chrono::nanoseconds startup() const noexcept { return startup_; }

  COROLITH_DECL elastic_plan decide(const elastic_load& load, const std::vector<elastic_job>& jobs, time_point now);

 private:
  COROLITH_DECL std::uint32_t growth(const elastic_load& load, const std::vector<elastic_job>& jobs, time_point now);

  elastic_settings settings_;
  std::chrono::nanoseconds startup_;
  std::optional<time_point> lacking_since_;
};

}  // namespace pool
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/pool/impl/elasticity.ipp>
#endif
