// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <string>

namespace corolith {
inline namespace v0 {

/// Which pool `--launcher pool` takes its agents from.
struct pool_options {
  std::string name = {};
  std::string folder = {};  ///< where pools leave their records; empty: ~/.corolith/pools
};

}  // namespace v0
}  // namespace corolith
