// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdlib>
#include <string>

namespace corolith::inline v0::s3::detail {

/// A variable of the environment; empty when there is none.
inline std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace corolith::inline v0::s3::detail
