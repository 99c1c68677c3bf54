// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/uring/detail/request.hpp>

#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// Carries a request out by its own system call, which may block. -errno where it fails.
COROLITH_DECL std::int32_t blocking_call(const request& what) noexcept;
/// The same for what may have to wait for a peer, without blocking: -EAGAIN where it would. A connect that is under way
/// is -EINPROGRESS.
COROLITH_DECL std::int32_t immediate_call(const request& what) noexcept;

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/blocking_call.ipp>
#endif
