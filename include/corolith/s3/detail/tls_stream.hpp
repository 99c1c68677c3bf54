// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/detail/origin.hpp>
#include <corolith/s3/tls_options.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace corolith::inline v0::s3::detail {

struct tls_shared;

/// What the connections of a pool share: the authorities that are trusted, and the sessions that servers would know again.
/// Throws errc::config when the options name authorities that cannot be read.
COROLITH_DECL std::shared_ptr<tls_shared> share_tls(const tls_options& options);

/// The client's end of a TLS connection without its socket: what arrives goes into `room`, what `outgoing` gives is to be
/// sent. TLS 1.2 at least; certificate and name of the server are verified unless the options say otherwise. Not thread-safe.
class tls_stream {
 public:
  COROLITH_DECL tls_stream(std::shared_ptr<tls_shared> shared, const origin& to);
  COROLITH_DECL ~tls_stream();
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  /// Where the next bytes from the socket may be received to; not empty as long as `decrypt` has been called until it gave nothing.
  COROLITH_DECL mutable_byte_span room();
  COROLITH_DECL void received(std::size_t count) noexcept;
  /// The socket has come to its end.
  COROLITH_DECL void ended() noexcept;

  /// What has to be sent, to be looked at again after each other member.
  COROLITH_DECL byte_span outgoing() const noexcept;
  COROLITH_DECL void sent(std::size_t count) noexcept;

  /// True when the handshake is done; else `outgoing` has to be sent and more to be received. Throws transport_error:
  /// errc::access_denied when the server is not who it should be, errc::protocol when it speaks no TLS of ours.
  COROLITH_DECL bool handshake();

  /// Decrypts what is there straight to its place. Zero: more has to be received, or `at_end`. Throws transport_error.
  COROLITH_DECL std::size_t decrypt(mutable_byte_span into);
  /// Nothing follows. `said_so` tells whether the server said so, or the connection just ended.
  COROLITH_DECL bool at_end() const noexcept;
  COROLITH_DECL bool said_so() const noexcept;
  /// Something of the application has arrived and was not taken. Throws as `decrypt`.
  COROLITH_DECL bool waiting();

  /// Encrypts all of it to `outgoing`.
  COROLITH_DECL void encrypt(byte_span bytes);

  /// The server knew the session of an earlier connection again: there was half a handshake only.
  COROLITH_DECL bool resumed() const noexcept;

 private:
  friend std::shared_ptr<tls_shared> share_tls(const tls_options& options);

  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/tls_stream.ipp>
#endif
