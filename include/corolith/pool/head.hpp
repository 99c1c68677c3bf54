// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/core/version.hpp>
#include <corolith/pool/head_options.hpp>

namespace corolith {
inline namespace v0 {
namespace pool {

/// Is the head of a pool until it is told to end by a client or by SIGTERM, SIGINT or SIGHUP: has residents started,
/// grants leases of their slots to drivers, takes them back, lets the pool grow and shrink. Executes no calls and
/// moves none. `claim` is the lock of its folder. Runs on the calling thread, which must be the main thread. When it
/// returns nothing of the pool is left. The result is an exit status. Throws config_error or launch_failed when it
/// cannot begin.
COROLITH_DECL int run_head(head_options settings, unique_fd claim);

}  // namespace pool
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/pool/impl/head.ipp>
#endif
