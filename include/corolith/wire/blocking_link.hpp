// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/frame_reader.hpp>
#include <corolith/wire/frame_writer.hpp>
#include <corolith/wire/message_type.hpp>

#include <cstddef>
#include <mutex>

namespace corolith::inline v0::wire {

/// The worker's end of its connection: frames over a blocking socket, without Asio. One thread may receive while others
/// append and flush. Does not own the file descriptor, which is a Unix socket's.
class blocking_link {
 public:
  explicit blocking_link(int fd) noexcept : fd_(fd) {
    queue_.share_segments();
    under_way_.share_segments();
  }
  blocking_link(const blocking_link&) = delete;
  blocking_link& operator=(const blocking_link&) = delete;

  /// Waits up to `timeout_ms` (-1: without limit, 0: not at all) and reads once into `into`; false when nothing came in
  /// that time. Then take the messages with `into.next()`; `into` may accept segments. Throws error(errc::peer_closed) when the peer is gone.
  COROLITH_DECL bool receive(frame_reader& into, int timeout_ms);

  /// Queues a message; the head is copied, a large tail shared.
  COROLITH_DECL void append(message_type type, byte_span head, shared_bytes tail = {});
  /// Writes all that is queued, and waits while the peer is slow. Throws error(errc::peer_closed) when it is gone.
  COROLITH_DECL void flush();
  /// The same, unless another thread is at it just now: then returns false at once.
  COROLITH_DECL bool try_flush();
  COROLITH_DECL std::size_t queued_bytes() const;

 private:
  COROLITH_DECL void write_all();

  int fd_;
  mutable std::mutex queue_mutex_;  // guards queue_
  std::mutex write_mutex_;          // guards under_way_; taken before queue_mutex_
  frame_writer queue_;
  frame_writer under_way_;
};

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/blocking_link.ipp>
#endif
