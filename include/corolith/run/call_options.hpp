// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {

/// What a call may be given: `ex.with({.timeout = 2s, .retries = 3}).map<f>(...)`. What is not set keeps the executor's default.
struct call_options {
  /// How long one attempt may run; then its stop token is set and, after a grace time, its worker killed.
  std::optional<std::chrono::nanoseconds> timeout{};
  /// How many more attempts a call gets after it threw, timed out or used too much memory. Lost workers cost none of them.
  std::optional<std::uint32_t> retries{};
  /// Processors that one call occupies (1 when not set).
  std::optional<std::uint32_t> cpus{};
  /// GPUs that one call has to itself (0 when not set); the call sees them in CUDA_VISIBLE_DEVICES.
  std::optional<std::uint32_t> gpus{};
  /// Bytes of private memory that one call may use (no limit when not set).
  std::optional<std::uint64_t> memory{};
  /// Environment variables of the worker that runs the call, by name and value.
  std::vector<std::pair<std::string, std::string>> env{};
  /// Elements handed to a worker at once (0, the default: chosen from how long the calls take).
  std::optional<std::uint32_t> chunk{};
  /// The name under which results are kept, where the executor has a journal (`options::journal`). Not set: maps are numbered in the order in
  /// which they are made, and single calls are not kept. Empty: neither is.
  std::optional<std::string> journal{};
};

}  // namespace v0
}  // namespace corolith
