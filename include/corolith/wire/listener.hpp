// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/wire/address.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/handshake.hpp>
#include <corolith/wire/secret.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace asio {
class io_context;
}

namespace corolith::inline v0::wire {

namespace detail {
class listener_core;
}

/// What strangers may cost before they have proved who they are.
struct listener_limits {
  std::size_t max_unauthenticated = 256;  ///< connections in the handshake; more wait in the system's queue
  std::chrono::milliseconds deadline = handshake_deadline;
  /// When all places are taken, the oldest goes once it has been silent this long.
  std::chrono::milliseconds patience_when_full{1000};
};

/// Waits for peers and hands out channels that are past the handshake. Calls and callbacks on the io_context's one
/// thread.
///
/// A unix socket must be in a folder that belongs to this user and is closed to others (made with mode 0700 when it
/// does not exist), and only processes of the same user are let in. A TCP listener speaks TLS with the shared secret.
class listener {
 public:
  struct events {
    /// A peer that passed; call `start` on its channel in the callback or in the same turn of the loop.
    std::function<void(std::shared_ptr<channel> peer, hello said)> on_accept;
    /// A peer that did not; the error says why. Optional: it is logged in any case: one line a minute at most.
    std::function<void(std::exception_ptr why)> on_refused;
  };

  /// Listens at once. `mine` is how this end introduces itself; peers must have the role `expected`. Throws
  /// config_error (an unusable folder, a missing secret) or std::system_error.
  COROLITH_DECL static std::shared_ptr<listener> listen(asio::io_context& io, const address& where,
                                                        std::optional<secret> shared, hello mine, role expected,
                                                        events handlers, listener_limits limits = {});

  COROLITH_DECL explicit listener(std::shared_ptr<detail::listener_core> core) noexcept;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  COROLITH_DECL ~listener();

  /// Where it listens, with the port that the system chose.
  COROLITH_DECL address local_address() const;
  /// Stops accepting, drops connections in the handshake, removes the socket file. Accepted channels live on.
  COROLITH_DECL void close() noexcept;
  /// Connections in the handshake.
  COROLITH_DECL std::size_t unauthenticated() const noexcept;

 private:
  std::shared_ptr<detail::listener_core> core_;
};

/// Nothing could be reached at an address. The code is errc::peer_closed.
class connect_error : public error {
 public:
  explicit connect_error(const std::string& what, std::error_code cause = {})
      : error(errc::peer_closed, what), cause_(cause) {}
  /// What the system said; nothing when there was no answer in time.
  std::error_code cause() const noexcept { return cause_; }

 private:
  std::error_code cause_;
};

/// Called once, from the loop: a connect_error or handshake_error that says what could not be reached or who refused,
/// or a channel to `start`.
using connect_callback = std::function<void(std::exception_ptr error, std::shared_ptr<channel> connected)>;

/// Connects, proves the secret (TCP needs one), introduces itself; the peer must have the role `expected`.
COROLITH_DECL void async_connect(asio::io_context& io, const address& where, std::optional<secret> shared, hello mine,
                                 role expected, connect_callback done,
                                 std::chrono::milliseconds deadline = handshake_deadline);

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/listener.ipp>
#endif
