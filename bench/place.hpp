// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/run/this_call.hpp>

#include <unistd.h>

#include <compare>
#include <cstdint>
#include <string>

namespace bench {

/// The worker that ran a call: a process of the agent (node) of that name.
struct place {
  std::string agent;
  std::int32_t pid = 0;

  friend auto operator<=>(const place&, const place&) = default;
};

inline place this_place() { return {corolith::this_call().host(), static_cast<std::int32_t>(::getpid())}; }

}  // namespace bench
