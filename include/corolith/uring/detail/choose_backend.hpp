// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/uring/detail/backend.hpp>
#include <corolith/uring/io_options.hpp>

#include <memory>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// The backend that the options, the environment and the kernel give. Throws config_error and
/// std::system_error.
COROLITH_DECL std::unique_ptr<backend> choose_backend(const io_options& options);

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/choose_backend.ipp>
#endif
