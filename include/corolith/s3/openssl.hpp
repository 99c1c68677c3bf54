// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>

namespace corolith::inline v0::s3 {

/// Starts OpenSSL, unless something has; any thread may call it. OpenSSL ends with the process, before whatever was made earlier than
/// OpenSSL was started: a client that is static, or belongs to something static, must be made after a call of this.
COROLITH_DECL void start_openssl() noexcept;

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/openssl.ipp>
#endif
