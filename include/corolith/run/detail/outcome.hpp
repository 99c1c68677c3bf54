// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/call_stats.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/run/detail/backend.hpp>

#include <exception>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The public description of a call's life.
COROLITH_DECL call_stats to_stats(const call_outcome& outcome);

/// The exception for an outcome that is no value: remote_error, worker_lost, call_timeout, memory_exceeded, cancelled or error.
COROLITH_DECL std::exception_ptr to_exception(const call_outcome& outcome);

/// An outcome made on this side: the call never reached a worker, or was given up.
COROLITH_DECL call_outcome make_failure(call_id id, wire::outcome_kind kind, std::string text);

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/outcome.ipp>
#endif
