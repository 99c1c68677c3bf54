// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/secret.hpp>
#include <corolith/wire/transport.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>

namespace corolith::inline v0::wire {

namespace detail {
struct tls_state;
}

/// TLS 1.3 and nothing older, TLS_AES_128_GCM_SHA256 with an ephemeral Diffie-Hellman exchange, both ends proven by the shared
/// secret (RFC 8446 external pre-shared key); no certificates, no tickets, no early data.
class tls_context {
 public:
  COROLITH_DECL explicit tls_context(secret shared);

  const std::shared_ptr<detail::tls_state>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<detail::tls_state> state_;
};

enum class tls_side { client, server };

/// Called once, from the loop: an error (handshake_error when the peer has another secret or speaks no TLS) or the stream.
using tls_callback = std::function<void(std::exception_ptr error, std::unique_ptr<transport> stream)>;

/// Does the TLS handshake on a connected socket.
COROLITH_DECL void async_tls(asio::ip::tcp::socket socket, const tls_context& context, tls_side side, tls_callback done,
                             std::chrono::milliseconds deadline = std::chrono::seconds(10));

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/tls.ipp>
#endif
