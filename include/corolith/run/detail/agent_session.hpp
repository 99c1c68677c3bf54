// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/run/detail/backend.hpp>
#include <corolith/schedule/types.hpp>
#include <corolith/wire/channel.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The driver's side of one connected agent.
struct agent_session {
  schedule::agent_id id = 0;
  std::shared_ptr<wire::channel> channel;
  std::shared_ptr<const std::string> host;  ///< null until its hello came
  wire::agent_hello hello;
  bool ready = false;     ///< has the program and takes calls
  bool draining = false;  ///< gets no more calls, and goes when it has none
  /// Batches that calls on this agent opened: (worker number, the worker's own batch id) to the driver's id.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> nested;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
