// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/semaphore.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/transport_error.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace corolith::inline v0::s3::detail {

struct connection;
struct pool_state;

/// One request and its response on one connection of a pool, on the pool's loop. The members follow each other: `send`,
/// `send_more` while there is more, `receive_head`, then the body. One of them at a time; the exchange stays where it is
/// meanwhile, as do the bytes given to it. When it is destroyed, the connection goes back to the pool if the response was
/// received to its end and the server lets it be used again; it is closed otherwise.
///
/// All throw transport_error, and `cancelled` when the awaiting task is asked to stop; nothing but destruction is left
/// then. See transport_options for the limits of time.
class [[nodiscard]] exchange {
 public:
  COROLITH_DECL exchange() noexcept;
  COROLITH_DECL exchange(exchange&& other) noexcept;
  COROLITH_DECL exchange& operator=(exchange&& other) noexcept;
  COROLITH_DECL ~exchange();

  /// Sends the head and the whole or the beginning of a body. What lengths there are is for the caller to say, in the
  /// headers. It returns without an error when the server answers before it has all: `receive_head` then gives the
  /// answer. Throws errc::misuse for a head that cannot be sent as it is.
  COROLITH_DECL task<void> send(http_request head, byte_span body = {});
  /// Sends more of the body; nothing once the server has answered (`answered`).
  COROLITH_DECL task<void> send_more(byte_span body);
  /// The server has answered, or closed, before it had the whole request: what is left of it is not sent any more.
  COROLITH_DECL bool answered() const noexcept;
  /// After a head with `expect: 100-continue`: true when the body is to be sent, as the server said so or said nothing for
  /// as long as `most`; false when `receive_head` has a final answer already. After a whole request without `expect`, the same says whether
  /// there is an answer yet.
  COROLITH_DECL task<bool> wait_for_continue(std::chrono::nanoseconds most);

  /// The head of the final response; what is in between (1xx) is skipped.
  COROLITH_DECL task<http_response> receive_head();
  /// Receives at least one byte of the body; zero at its end, and only there. What has not come with the head goes from the socket
  /// straight to its place.
  COROLITH_DECL task<std::size_t> receive(mutable_byte_span into);
  /// The same, but it may wait for more than what is there, up to 1 MiB, since that takes less: for what is needed as a whole.
  COROLITH_DECL task<std::size_t> receive_many(mutable_byte_span into);
  /// Receives until `into` is full or the body ends. Gives how many bytes: fewer only at the end.
  COROLITH_DECL task<std::size_t> receive_all(mutable_byte_span into);
  /// The rest of the body. More than `most` bytes is errc::protocol.
  COROLITH_DECL task<std::string> receive_text(std::size_t most);
  /// Reads a rest of the body that is short, so that the connection can be used again. Never throws but `cancelled`.
  COROLITH_DECL task<void> discard();

  /// The whole response was received.
  COROLITH_DECL bool complete() const noexcept;
  /// The connection had been used by an exchange before.
  COROLITH_DECL bool reused() const noexcept;
  /// The socket, for what moves the bytes of a body by other means before the first `send_more`; nothing with TLS.
  COROLITH_DECL std::optional<int> plain_socket() const noexcept;

 private:
  friend class connection_pool;
  friend struct pool_state;
  COROLITH_DECL exchange(std::unique_ptr<connection> on, semaphore::permit turn) noexcept;

  std::unique_ptr<connection> on_;
  semaphore::permit turn_;
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/exchange.ipp>
#endif
