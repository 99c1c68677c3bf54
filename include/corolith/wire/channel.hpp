// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/wire/detail/adopt_socket.hpp>
#include <corolith/wire/frame_format.hpp>
#include <corolith/wire/message_type.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace corolith::inline v0::wire {

class transport;
namespace detail {
class channel_core;
}

/// A connection that carries messages. All calls and all callbacks happen on the thread that runs its socket's io_context.
///
/// What is sent during one turn of the loop (or during the callbacks of one read) leaves in one system call. The order of
/// messages is that of `frame_writer`. Over a Unix socket, large tails that are in a memory_segment are not copied: the peer gets a descriptor and
/// looks at the same memory. Destroying the last reference closes the connection and calls nobody any more (after
/// `close_when_sent`, what is queued is still written); a callback may do that.
class channel : public std::enable_shared_from_this<channel> {
 public:
  using message = wire::message;
  using clock = std::chrono::steady_clock;

  struct events {
    /// Each message but heartbeats; a goodbye too, which may have no body. An exception that leaves it closes the channel and is the reason.
    std::function<void(message&&)> on_message;
    /// After all messages of one read were delivered; what is sent here still leaves with what was sent in on_message.
    std::function<void()> on_batch_end;
    /// Exactly once, from the loop, never from inside a call of this class. nullptr: this end closed without a reason, or
    /// the peer said goodbye. A peer that just vanishes is errc::peer_closed.
    std::function<void(std::exception_ptr reason)> on_close;
    /// `queued_bytes` fell to the low-water mark after having been above it.
    std::function<void()> on_drained;
  };

  /// Over a connected stream that is past its handshake.
  COROLITH_DECL static std::shared_ptr<channel> over(std::shared_ptr<transport> stream, frame_limits limits = {});
  /// Over a connected Asio socket (local or tcp, plain). Include <corolith/wire/transport.hpp> where you call it.
  template <class Socket>
    requires requires(Socket socket) { typename Socket::protocol_type; }
  static std::shared_ptr<channel> over(Socket socket, frame_limits limits = {}) {
    return over(std::shared_ptr<transport>(make_transport(adopt_socket_t{}, std::move(socket))), limits);
  }

  COROLITH_DECL explicit channel(std::shared_ptr<detail::channel_core> core) noexcept;
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  COROLITH_DECL ~channel();

  /// Starts to receive. Once.
  COROLITH_DECL void start(events handlers);

  /// Queues a message. After a close of any kind this does nothing.
  COROLITH_DECL void send(message_type type, shared_bytes body = {});
  /// Queues a message whose body is `head` (copied) and `tail` (shared when large; it must not change any more).
  COROLITH_DECL void send(message_type type, byte_span head, shared_bytes tail = {});
  /// Queues an empty message in front of all that has not been handed to the system yet.
  COROLITH_DECL void send_urgent(message_type type);
  /// Writes as much as goes without waiting, now; otherwise it happens at the end of the turn.
  COROLITH_DECL void flush();

  /// Ends the connection at once: nothing is sent or delivered any more. `reason` goes to on_close.
  COROLITH_DECL void close(std::exception_ptr reason = nullptr);
  /// Ends the connection after all that is queued and a goodbye were written and the peer closed too (it has 5 s for that
  /// from the last byte on). Messages still arrive meanwhile; `send` does nothing any more.
  COROLITH_DECL void close_when_sent();
  /// False from the first close, close_when_sent or loss of the connection on.
  COROLITH_DECL bool is_open() const noexcept;

  /// Bytes queued and not handed to the system yet.
  COROLITH_DECL std::size_t queued_bytes() const noexcept;
  /// Where on_drained fires; 1 MiB unless told.
  COROLITH_DECL void set_low_water(std::size_t bytes) noexcept;
  /// Sends a heartbeat for each `interval` in which nothing was sent, and closes with errc::peer_silent when nothing was
  /// received for `timeout`.
  COROLITH_DECL void keep_alive(std::chrono::milliseconds interval, std::chrono::milliseconds timeout);

  /// Has large messages that come in pieces put together in shared memory, for a process that passes them on to others of its machine.
  COROLITH_DECL void assemble_in_segments() noexcept;
  /// Stops and continues reading, so that a peer that sends faster than this end can take it is slowed down.
  COROLITH_DECL void pause_reading();
  COROLITH_DECL void resume_reading();

 private:
  std::shared_ptr<detail::channel_core> core_;
};

/// Why a connection ended or could not be made, for people; null is a goodbye, as in `events::on_close`.
inline std::string explain_end(const std::exception_ptr& reason) {
  if (!reason) return "it said goodbye";
  try {
    std::rethrow_exception(reason);
  } catch (const std::exception& problem) {
    return problem.what();
  } catch (...) {
    return "an unknown error";
  }
}

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/channel.ipp>
#endif
