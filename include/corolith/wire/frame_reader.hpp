// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/frame_format.hpp>
#include <corolith/wire/message_type.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace corolith::inline v0::wire {

namespace detail {
class slab_pool;
}

/// Turns received bytes into messages; does no I/O itself. Read into `prepare()`, tell `commit()` how much came, take the
/// messages with `next()` until it says no. Small messages are slices of the read buffer; large ones are read straight into
/// their final place. Not thread-safe; the messages it hands out may go anywhere.
class frame_reader {
 public:
  COROLITH_DECL explicit frame_reader(frame_limits limits = {});
  frame_reader(frame_reader&&) noexcept = default;
  frame_reader& operator=(frame_reader&&) noexcept = default;
  COROLITH_DECL ~frame_reader();

  /// Where the next bytes belong; never empty. Valid until the next call of any member.
  COROLITH_DECL mutable_byte_span prepare();
  /// The first `count` bytes of what `prepare` gave are filled.
  COROLITH_DECL void commit(std::size_t count);
  /// Takes the next complete message; false when more bytes are needed. Throws error(errc::protocol) on what no honest
  /// peer sends; the reader is of no use afterwards.
  COROLITH_DECL bool next(message& out);

  /// For a connection to a process of this machine that passes descriptors; without it a message in shared memory breaks the protocol.
  void accept_segments() noexcept { accepts_segments_ = true; }
  /// Where descriptors belong that came with bytes, in their order, before `commit` tells of these.
  std::deque<unique_fd>& descriptors() noexcept { return descriptors_; }
  /// Has large messages that come in pieces put together in shared memory, so that they can be passed on without a copy.
  void assemble_in_segments() noexcept { assembles_in_segments_ = true; }

  /// Copies `bytes` in and calls `sink(message&&)` for each message that is complete.
  template <class Sink>
  void feed(byte_span bytes, Sink&& sink) {
    message got;
    while (!bytes.empty()) {
      mutable_byte_span room = prepare();
      std::size_t part = room.size() < bytes.size() ? room.size() : bytes.size();
      std::memcpy(room.data(), bytes.data(), part);
      commit(part);
      bytes = bytes.subspan(part);
      while (next(got)) sink(std::move(got));
    }
  }

  /// True when nothing is half-read: the stream may end here.
  bool at_boundary() const noexcept { return begin_ == end_ && !direct_ && streams_.empty(); }
  /// Bytes held for large messages under way.
  COROLITH_DECL std::size_t held_bytes() const noexcept;

 private:
  struct assembly {
    std::uint16_t stream = 0;
    message_type type = message_type::heartbeat;
    std::uint64_t total = 0;
    byte_buffer bytes;
  };

  COROLITH_DECL frame_header peek_header() const;
  COROLITH_DECL void check(const frame_header& header);
  COROLITH_DECL static void check_segment(const frame_header& header);
  COROLITH_DECL shared_bytes take_segment(const frame_header& header);
  COROLITH_DECL void begin_direct(const frame_header& header);
  COROLITH_DECL bool continue_direct(message& out);
  COROLITH_DECL void renew_slab();
  COROLITH_DECL assembly* find(std::uint16_t stream) noexcept;

  frame_limits limits_;
  std::shared_ptr<detail::slab_pool> pool_;
  std::shared_ptr<std::byte> slab_;
  std::size_t begin_ = 0;   // parsed up to here
  std::size_t end_ = 0;     // filled up to here
  std::size_t wanted_ = 0;  // bytes of the frame at begin_, when it is known and not complete
  std::vector<std::unique_ptr<assembly>> streams_;
  std::uint64_t announced_ = 0;  // sum of the totals of streams_
  assembly whole_;               // a message in one frame that is larger than what the slab holds of it
  assembly* direct_ = nullptr;   // where the payload of the current frame goes, if not to a slice
  std::size_t direct_left_ = 0;  // bytes of that payload still to come
  bool direct_last_ = false;
  bool accepts_segments_ = false;
  bool assembles_in_segments_ = false;
  std::deque<unique_fd> descriptors_;
};

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/frame_reader.ipp>
#endif
