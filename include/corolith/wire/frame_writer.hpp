// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/memory_segment.hpp>
#include <corolith/wire/frame_format.hpp>
#include <corolith/wire/message_type.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace corolith::inline v0::wire {

/// An outbox: messages in, gathered buffers out; does no I/O itself. Not thread-safe.
///
/// Order: messages about the same batch arrive in the order in which they were appended, and so do all nested ones, and so
/// do all the rest (hello, welcome, program files...) among themselves. A message may overtake a *large* one (more than
/// `chunk_size`) of another batch. Nothing overtakes or is overtaken by `goodbye` and `shutdown`: they come after all that
/// was appended before. Urgent messages go before everything that has not been gathered yet.
class frame_writer {
 public:
  frame_writer() = default;
  frame_writer(frame_writer&&) noexcept = default;
  frame_writer& operator=(frame_writer&&) noexcept = default;

  /// For a connection to a process of this machine that passes descriptors: of large tails that are in a memory_segment only the place is sent.
  void share_segments() noexcept { shares_segments_ = true; }

  /// Appends a message whose body is `head` followed by `tail`. The head is copied, and so is a small tail; a large tail is
  /// shared and must not change until it is sent.
  COROLITH_DECL void append(message_type type, byte_span head, shared_bytes tail = {});
  /// Appends an empty message before everything not yet gathered. Several of the same type at once are one.
  COROLITH_DECL void append_urgent(message_type type);

  /// Fills `out` with what should be written next, in order, and returns how many entries it used: at most one chunk of
  /// large messages at a time. The spans are valid until the next call of any member.
  COROLITH_DECL std::size_t gather(std::span<byte_span> out);
  /// What must be passed along with what was gathered last; once `consume` has been told of a byte of it, they have been.
  std::span<const int> descriptors() const noexcept { return descriptors_; }
  /// The first `count` bytes of the last gather are written.
  COROLITH_DECL void consume(std::size_t count);

  bool empty() const noexcept { return queued_ == 0; }
  /// Bytes not written yet, frame headers included.
  std::size_t queued_bytes() const noexcept { return queued_; }

 private:
  // The end of a message, which is in shared memory.
  struct shared_end {
    shared_bytes bytes;
    memory_segment* segment = nullptr;
    bool counted = false;  // the peer, as one who will look into it
    bool passed = false;
  };
  // Whole frames that lie together on the wire: up to three parts.
  struct item {
    std::byte header[frame_header_size];
    std::size_t header_size = 0;
    std::uint64_t arena_begin = 0;  // absolute offsets: what the arena dropped in front still counts
    std::uint64_t arena_end = 0;
    shared_bytes first;
    shared_bytes second;
    std::unique_ptr<shared_end> end;
  };
  struct parked {
    message_type type;
    shared_bytes head;
    shared_bytes tail;
  };
  struct large {
    message_type type;
    std::uint64_t key = 0;
    std::uint16_t stream = 0;
    shared_bytes head;
    shared_bytes tail;
    std::uint64_t offset = 0;
    std::deque<parked> behind;  // same key, appended later
    std::uint64_t total() const noexcept { return head.size() + tail.size(); }
  };
  // A FIFO over a vector that keeps its memory.
  struct item_queue {
    std::vector<item> items;
    std::size_t front = 0;
    bool empty() const noexcept { return front == items.size(); }
    COROLITH_DECL void pop() noexcept;
  };

  COROLITH_DECL void append_slow(message_type type, byte_span head, shared_bytes tail);
  COROLITH_DECL void place(message_type type, byte_span head, shared_bytes tail, std::uint64_t key);
  COROLITH_DECL void place_small(message_type type, byte_span head, shared_bytes tail);
  COROLITH_DECL void place_shared(message_type type, byte_span head, shared_bytes tail,
                                  const memory_segment::place& where);
  COROLITH_DECL std::optional<memory_segment::place> shared_place(byte_span head,
                                                                  const shared_bytes& tail) const noexcept;
  COROLITH_DECL std::size_t size_of(byte_span head, const shared_bytes& tail) const noexcept;
  COROLITH_DECL void start_large(message_type type, byte_span head, shared_bytes tail, std::uint64_t key);
  COROLITH_DECL bool commit_chunk();
  COROLITH_DECL void finish_large(std::size_t index);
  COROLITH_DECL void unpark();
  COROLITH_DECL bool admissible(message_type type, std::size_t size) const noexcept;
  COROLITH_DECL void commit_next();
  COROLITH_DECL void drop_arena(std::uint64_t up_to);
  COROLITH_DECL std::uint16_t free_stream() const noexcept;

  byte_buffer arena_;             // headers, heads and small tails of small_ and committed_
  std::uint64_t arena_base_ = 0;  // absolute offset of arena_'s first byte
  item_queue small_;
  item_queue committed_;  // these go next, in this order, whatever comes
  std::size_t committed_bytes_ = 0;
  std::size_t sent_of_front_ = 0;
  std::vector<message_type> urgent_;
  std::vector<std::unique_ptr<large>> large_;
  std::size_t next_large_ = 0;
  std::deque<parked> parked_;  // wait for large messages to end
  std::size_t queued_ = 0;
  bool shares_segments_ = false;
  std::vector<int> descriptors_;
  std::size_t gathered_end_ = 0;  // of committed_: behind what the last gather showed
};

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/frame_writer.ipp>
#endif
