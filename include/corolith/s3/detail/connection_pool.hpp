// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/exchange.hpp>
#include <corolith/s3/detail/origin.hpp>
#include <corolith/s3/transport_options.hpp>
#include <corolith/uring/io_loop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace corolith::inline v0::s3::detail {

struct pool_counters {
  std::uint64_t opened = 0;  ///< connections made
  std::uint64_t reused = 0;  ///< exchanges on a connection that was there
  std::size_t open = 0;      ///< connections now, with those that nobody uses
  std::size_t idle = 0;      ///< those that nobody uses
};

/// The connections of one loop, kept for the next request to the same host. All is to be used on the thread of the loop,
/// but for the destructor: it may be called by any thread, before the loop is closed. Exchanges may outlive the pool, not
/// the loop.
class connection_pool {
 public:
  /// Throws errc::config where the TLS options cannot be used (no such file of authorities).
  COROLITH_DECL connection_pool(uring::io_loop& loop, transport_options options);
  COROLITH_DECL ~connection_pool();
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;

  /// A connection to `to`, one that is there or a new one. Where `most_connections` are in use it waits for its turn.
  /// Throws transport_error and `cancelled`.
  COROLITH_DECL task<exchange> open(origin to);
  /// Closes the connections that nobody uses.
  COROLITH_DECL void close_idle() noexcept;
  COROLITH_DECL pool_counters counters() const noexcept;

 private:
  static task<exchange> take_turn(std::shared_ptr<pool_state> pool, origin to);

  std::shared_ptr<pool_state> state_;
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/connection_pool.ipp>
#endif
