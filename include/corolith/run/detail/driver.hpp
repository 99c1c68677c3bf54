// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/options.hpp>

#include <memory>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Starts agents as the options say and gives calls to them. Returns before the first agent is there; calls wait for it. `worker_environment`
/// ("NAME=value") is for all workers; `temporary_folder` is removed, if it is there, when this process is killed.
/// Throws launch_failed or error when nothing can be started.
COROLITH_DECL std::shared_ptr<backend> make_driver(const options& settings,
                                                   std::vector<std::string> worker_environment = {},
                                                   const std::string& temporary_folder = {});

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/driver.ipp>
#endif
