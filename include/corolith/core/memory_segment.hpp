// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace corolith {
inline namespace v0 {

/// Memory that other processes of this machine can look into: a memory file (memfd) that is mapped here, and whose descriptor
/// can be passed on. It begins with a page of its own, in which the processes count themselves, so that the one that made the
/// segment knows when it may write into it again:
///
///      0            8         12                4096
///      +------------+---------+-----------------+----------------------------------
///      | magic      | holders | zeros           | bytes
///      | 8 bytes    | u32     |                 |
///      +------------+---------+-----------------+----------------------------------
///
/// The file is sealed against shrinking, so that no process can take pages away from under another one. One object belongs to one
/// thread at a time; different processes and threads may read the bytes together.
class memory_segment {
 public:
  /// Where the bytes begin in the file.
  static constexpr std::size_t data_offset = 4096;

  /// A new one with room for `capacity` bytes; null when the system has none to give.
  COROLITH_DECL static std::unique_ptr<memory_segment> make(std::size_t capacity) noexcept;
  memory_segment(const memory_segment&) = delete;
  memory_segment& operator=(const memory_segment&) = delete;
  COROLITH_DECL ~memory_segment();

  /// Makes room for more; the bytes may move. False when there is none: nothing has changed then.
  COROLITH_DECL bool grow(std::size_t capacity) noexcept;
  std::byte* data() const noexcept { return base_ + data_offset; }
  std::size_t capacity() const noexcept { return mapped_ - data_offset; }
  int descriptor() const noexcept { return file_.get(); }
  /// False for one that another process made.
  bool made_here() const noexcept { return made_here_; }

  /// Somebody else is about to get the descriptor; he says with the end of his object when he is done.
  COROLITH_DECL void add_holder() noexcept;
  /// Whether somebody who got the descriptor may still look at the bytes. Those who died without a word count for ever.
  COROLITH_DECL bool has_holders() const noexcept;

  /// Where bytes lie in a segment.
  struct place {
    memory_segment* segment = nullptr;
    std::size_t before = 0;    ///< so many of them, in front, are this process's own and not in the file
    std::uint64_t offset = 0;  ///< of those after them, in the file
    std::uint64_t length = 0;
  };
  /// Nothing for bytes that are in no segment.
  COROLITH_DECL static std::optional<place> find(const shared_bytes& bytes) noexcept;

  /// `head`, followed by the bytes of the file that another process calls `offset` and `length`; the sender has added a holder. They are
  /// mapped, not read; where they cannot be, they are copied. Throws error(errc::protocol) for a file that is no such segment.
  COROLITH_DECL static shared_bytes adopt(unique_fd file, byte_span head, std::uint64_t offset, std::uint64_t length);

 private:
  memory_segment() noexcept = default;
  COROLITH_DECL static void check(int file, std::uint64_t offset, std::uint64_t length);
  COROLITH_DECL bool map_part(byte_span head, std::uint64_t offset, std::uint64_t length) noexcept;

  unique_fd file_;
  std::byte* counter_ = nullptr;  // the first page, as all see it
  std::byte* base_ = nullptr;     // of the mapping
  std::size_t mapped_ = 0;
  std::uint64_t mapped_from_ = 0;     // what base_ is in the file
  std::byte* shared_from_ = nullptr;  // bytes before it are this process's own
  bool made_here_ = false;
};

namespace detail {

/// Ends a shared_bytes whose bytes are in a segment: what was made here goes back to the pool.
struct segment_owner {
  memory_segment* segment;
  COROLITH_DECL void operator()(const void*) const noexcept;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/core/impl/memory_segment.ipp>
#endif
