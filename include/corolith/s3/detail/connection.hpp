// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/semaphore.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/detail/origin.hpp>
#include <corolith/s3/detail/resolver.hpp>
#include <corolith/s3/detail/response_reader.hpp>
#include <corolith/s3/detail/tls_stream.hpp>
#include <corolith/s3/transport_error.hpp>
#include <corolith/s3/transport_options.hpp>
#include <corolith/uring/io_loop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace corolith::inline v0::s3::detail {

struct pool_state;

/// A socket, what is read from it, and where the exchange on it stands. Made once for many exchanges.
struct connection {
  connection(std::shared_ptr<pool_state> of, uring::io_loop& on, origin where);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Begins an exchange: the head to be sent is in `head` then.
  void begin(const http_request& request);
  /// Whether the server has sent something, or closed, while the request is still on its way.
  bool has_answered();
  /// The same for the head and the body as the reader has them, with where it happened in the text of an exception.
  bool take_head(http_response& into);
  std::size_t take_body(mutable_byte_span into);
  mutable_byte_span room();
  /// Nothing more comes from the server.
  void end();
  /// A long body was received to its end: fails when there is more.
  void check_end();
  [[noreturn]] void fail(errc code, const std::string& what);
  /// An operation on the socket failed. `cancelled` when it was.
  [[noreturn]] void fail(std::error_code failure, const char* while_doing);
  bool reusable();

  std::shared_ptr<pool_state> pool;
  uring::io_loop& loop;
  const origin to;
  unique_fd socket;
  std::unique_ptr<tls_stream> tls;
  response_reader reader;
  byte_buffer head;
  bool used_before = false;  // by another exchange
  bool expects = false;      // a go-ahead before it sends the body
  bool answered = false;     // before it had the whole request
  bool broken = false;       // something failed, so that it cannot be used again
  std::error_code send_failure;
  std::optional<http_response> final_head;  // that came instead of a 100
  corolith::loop::time_point idle_since;
};

/// What a pool, its connections and their exchanges share.
struct pool_state : std::enable_shared_from_this<pool_state> {
  pool_state(uring::io_loop& on, transport_options with);
  ~pool_state();

  /// A connection that is there; null when there is none.
  std::unique_ptr<connection> take_idle(const origin& to);
  void give_back(std::unique_ptr<connection> used) noexcept;
  void close_idle() noexcept;
  void make_room();
  /// The pool is gone: whatever comes back is closed.
  void leave() noexcept;
  void sweep() noexcept;

  uring::io_loop& loop;
  const transport_options options;
  std::shared_ptr<tls_shared> tls;
  resolver names;
  semaphore turns;
  std::vector<std::unique_ptr<connection>> idle;  // the one that was used last is at the end
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
  std::size_t open = 0;
  bool left = false;

  struct sweeping : corolith::loop::timer {
    pool_state* of = nullptr;
    std::shared_ptr<pool_state> keeps;  // of a pool that is gone
    bool pending = false;
  } sweeper;
  struct leaving : corolith::loop::work {
    std::shared_ptr<pool_state> of;
  } farewell;
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/connection.ipp>
#endif
