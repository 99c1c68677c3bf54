// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/wire/message_type.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// The frame: what a connection is made of once the handshake is over. Little-endian.
///
///      0        4     5     6        8                16
///      +--------+-----+-----+--------+----------------+-----------------+
///      | length | type|flags| stream |     total      |     payload     |
///      |  u32   | u8  | u8  |  u16   |      u64       |  length bytes   |
///      +--------+-----+-----+--------+----------------+-----------------+
///
/// length  bytes of payload in this frame, at most 262,144 (`chunk_size`)
/// type    message_type
/// flags   1 first frame of its message, 2 last frame of its message, 4 the end of its message lies in shared memory
/// stream  0 for a message in one frame; else which of the large messages under way this chunk continues
/// total   bytes of the whole message
///
/// A message of up to `chunk_size` bytes is one frame with both flags. A larger one is cut into chunks, and frames of other
/// messages pass between them: neither a heartbeat nor another call waits for the end of a large argument.
///
/// Between processes of one machine, on connections that pass descriptors, most of a large message does not travel at all when it lies in a
/// memory_segment. Its frame has all three flags, a descriptor comes with its first byte, and its payload is a `segment_reference` and the
/// front of the message; the rest is where the reference says.
namespace corolith::inline v0::wire {

inline constexpr std::size_t frame_header_size = 16;
inline constexpr std::size_t chunk_size = 256 * 1024;
inline constexpr std::uint8_t frame_first = 1;
inline constexpr std::uint8_t frame_last = 2;
inline constexpr std::uint8_t frame_segment = 4;
/// Large messages that one end sends at the same time; further ones wait.
inline constexpr std::size_t max_send_streams = 32;

struct frame_header {
  std::uint32_t length = 0;
  message_type type = message_type::heartbeat;
  std::uint8_t flags = frame_first | frame_last;
  std::uint16_t stream = 0;
  std::uint64_t total = 0;
};
static_assert(sizeof(frame_header) == frame_header_size && alignof(frame_header) == 8);
static_assert(std::endian::native == std::endian::little, "frame headers are copied as they lie in memory");

/// Where the end of a message lies in the file whose descriptor came with its frame.
struct segment_reference {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
/// The most bytes of a message before those in shared memory.
inline constexpr std::size_t most_before_segment = 2048;

/// What a peer may make this end hold. A peer that goes further is cut off with errc::protocol.
struct frame_limits {
  std::uint64_t max_message = std::uint64_t{8} << 30;      ///< bytes of one message
  std::uint64_t max_reassembly = std::uint64_t{16} << 30;  ///< bytes of all large messages under way on a connection
  std::size_t max_streams = 64;                            ///< large messages under way at the same time
};

}  // namespace corolith::inline v0::wire
