// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/openssl.hpp>

#include <openssl/crypto.h>

namespace corolith::inline v0::s3 {

COROLITH_DECL void start_openssl() noexcept { OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr); }

}  // namespace corolith::inline v0::s3
