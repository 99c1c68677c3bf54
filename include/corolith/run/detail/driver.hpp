// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/options.hpp>

#include <memory>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Starts agents as the options say and gives calls to them. Returns before the first agent is there; calls wait for it.
/// Throws launch_failed or error when nothing can be started.
COROLITH_DECL std::shared_ptr<backend> make_driver(const options& settings);

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/driver.ipp>
#endif
