// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/launch/slurm_options.hpp>
#include <corolith/pool/elasticity.hpp>
#include <corolith/wire/meeting.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace corolith {
inline namespace v0 {
namespace pool {

/// What a pool is made of.
struct head_options {
  std::string name;
  std::string folder;              ///< where pools leave their records; empty: ~/.corolith/pools
  std::string launcher = "local";  ///< or "slurm"
  elastic_settings size;
  std::uint32_t slots = 0;   ///< per node; 0: as many as it has processors
  std::uint32_t gpus = 0;    ///< per node
  std::uint64_t memory = 0;  ///< bytes per node; 0: what it has
  wire::meeting_options meeting = {};
  std::string cache_folder = {};
  std::string log_level = "warning";
  std::chrono::nanoseconds launch_timeout = std::chrono::seconds(60);  ///< for a node to connect once its job runs
  /// How long a driver keeps slots that it does not use and nobody else wants.
  std::chrono::nanoseconds linger = std::chrono::seconds(2);
  /// So long before its time limit a node of Slurm gets no more calls.
  std::chrono::nanoseconds notice = std::chrono::seconds(60);
  slurm_options slurm = {};
};

}  // namespace pool
}  // namespace v0
}  // namespace corolith
