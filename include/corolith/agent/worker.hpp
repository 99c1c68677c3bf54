// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker_context.hpp>
#include <corolith/core/detail/decl.hpp>

namespace corolith {
inline namespace v0 {
namespace agent {

/// Runs calls for the agent at the other end of `fd` until it says shutdown; returns the exit status. The functions run on
/// the calling thread. `page_fd` is the shared memory for detail::progress_page, or -1.
///
/// When the agent is gone the process and all that it started in its process group are killed.
COROLITH_DECL int run_worker(int fd, int page_fd = -1);

/// The same with slots as threads: `slots_fd` brings, for each slot that is wanted, a connection and a page (see detail::slot_mail).
/// Returns when the other end is closed and all slots have ended.
COROLITH_DECL int run_worker_threads(int slots_fd);

}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/worker.ipp>
#endif
