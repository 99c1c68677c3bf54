// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/detail/adopt_socket.hpp>
#include <corolith/wire/detail/descriptors.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <system_error>

namespace corolith::inline v0::wire {

/// Is told when a transport may go on. Kept alive by the wait itself.
class transport_waiter {
 public:
  virtual void on_readable(std::error_code error) = 0;
  virtual void on_writable(std::error_code error) = 0;

 protected:
  ~transport_waiter() = default;
};

/// A connected byte stream that never blocks. A channel reads and writes at once and waits only when it must, which
/// Asio's composed operations do not offer for TLS.
class transport {
 public:
  enum class status { done, would_block, end, failed };
  struct outcome {
    status what = status::done;
    std::size_t bytes = 0;
    std::exception_ptr failure;  ///< with status::failed
  };

  virtual ~transport() = default;
  virtual asio::any_io_executor get_executor() = 0;
  /// Reads at least one byte, or says why not.
  virtual outcome read_some(mutable_byte_span into) = 0;
  /// Takes bytes from the front of `parts`; done with bytes == 0 never happens unless `parts` is empty.
  virtual outcome write_some(std::span<const byte_span> parts) = 0;
  /// Whether descriptors can travel along with the bytes: to a process of this machine.
  virtual bool passes_descriptors() const noexcept { return false; }
  /// read_some, which appends the descriptors that came along.
  virtual outcome read_with(mutable_byte_span into, std::deque<unique_fd>&) { return read_some(into); }
  /// write_some; at most detail::most_descriptors go along with the first byte that is written.
  virtual outcome write_with(std::span<const byte_span> parts, std::span<const int>) { return write_some(parts); }
  /// Writes what it took and still holds (TLS records); done when it holds nothing.
  virtual outcome flush() { return {}; }
  /// True when bytes can be read without the socket becoming readable.
  virtual bool has_pending_input() { return false; }
  /// One wait of each kind at a time.
  virtual void async_wait_readable(std::shared_ptr<transport_waiter> waiter) = 0;
  virtual void async_wait_writable(std::shared_ptr<transport_waiter> waiter) = 0;
  /// Says that nothing more will be written; the peer reads an end.
  virtual void shutdown_write() = 0;
  /// Closes; waits end with an error.
  virtual void close() noexcept = 0;
  /// For messages to people: "unix", "tcp 10.0.0.1:4000".
  virtual std::string describe() const = 0;
};

COROLITH_DECL std::unique_ptr<transport> make_transport(adopt_socket_t, asio::local::stream_protocol::socket socket);
/// Plain TCP, for tests and for peers that are trusted otherwise. Sets TCP_NODELAY.
COROLITH_DECL std::unique_ptr<transport> make_transport(adopt_socket_t, asio::ip::tcp::socket socket);

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/transport.ipp>
#endif
