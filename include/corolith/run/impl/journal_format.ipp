// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/run/detail/journal_format.hpp>
#include <corolith/s3/checksum.hpp>

#include <algorithm>
#include <cstring>

namespace corolith {
inline namespace v0 {
namespace detail {

// Words of 8 bytes, each multiplied into 128 bits that are folded (the way of wyhash, by Wang Yi).
COROLITH_DECL std::uint64_t element_hash(byte_span element) noexcept {
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t state = mix(element.size() ^ 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu);
  while (!element.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(element.size(), sizeof word);
    std::memcpy(&word, element.data(), size);
    state = mix(state ^ word ^ 0x8ebc6af09c88c6e3u, 0x589965cc75374cc3u ^ state);
    element = element.subspan(size);
  }
  return mix(state ^ 0x1d8e4e27c47d124fu, 0xeb44accab455d165u);
}

inline std::uint32_t header_crc(const journal_header& header) noexcept {
  return s3::crc32c(bytes_of(header).first(offsetof(journal_header, crc)));
}

COROLITH_DECL journal_header make_journal_header(const wire::sha256_bytes& program) noexcept {
  journal_header header;
  header.program = program;
  header.crc = header_crc(header);
  return header;
}

COROLITH_DECL header_state check_journal_header(byte_span bytes) noexcept {
  const journal_header right;
  const std::size_t known = std::min(bytes.size(), offsetof(journal_header, program));
  if (known != 0 && std::memcmp(bytes.data(), &right, std::min(known, sizeof right.magic)) != 0)
    return header_state::foreign;
  if (bytes.size() < sizeof(journal_header)) return header_state::torn;
  journal_header found;
  std::memcpy(&found, bytes.data(), sizeof found);
  if (found.crc == header_crc(found)) return header_state::right;
  // A crash may also leave zeros in place of what was written last.
  return bytes.size() == sizeof found ? header_state::torn : header_state::foreign;
}

COROLITH_DECL journal_frame make_journal_frame(journal_kind kind, byte_span head, byte_span rest) noexcept {
  journal_frame frame;
  frame.kind = kind;
  frame.size = head.size() + rest.size();
  frame.crc = s3::crc32c(rest, s3::crc32c(head, s3::crc32c(bytes_of(frame).subspan(sizeof frame.crc))));
  return frame;
}

// Bytes that are there from `offset` on, at most `size`; fewer where the buffer ends, none where the file does.
COROLITH_DECL byte_span journal_reader::look(std::uint64_t offset, std::uint64_t size) {
  constexpr std::size_t room = std::size_t{256} << 10;
  size = std::min(size, end_ - std::min(offset, end_));
  const std::uint64_t wanted = std::min<std::uint64_t>(size, sizeof(journal_frame) + sizeof(journal_result));
  if (offset < buffered_ || offset + wanted > buffered_ + buffer_.size()) {
    buffer_.clear();
    buffered_ = offset;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room, end_ - std::min(offset, end_)));
    buffer_.extend(count);
    buffer_.truncate(from_(offset, {buffer_.data(), count}));
  }
  const byte_span there = buffer_.span().subspan(static_cast<std::size_t>(offset - buffered_));
  return there.first(static_cast<std::size_t>(std::min<std::uint64_t>(size, there.size())));
}

COROLITH_DECL std::optional<journal_record> journal_reader::next() {
  journal_frame frame;
  const byte_span framed = look(at_, sizeof frame);
  if (framed.size() != sizeof frame) return std::nullopt;
  std::memcpy(&frame, framed.data(), sizeof frame);
  journal_record record{frame.kind, at_ + sizeof frame, frame.size, {}};
  if (frame.size > end_ - record.offset) return std::nullopt;
  if (frame.kind == journal_kind::result) {
    const byte_span head = look(record.offset, sizeof record.result);
    if (frame.size < sizeof record.result || head.size() != sizeof record.result) return std::nullopt;
    std::memcpy(&record.result, head.data(), sizeof record.result);
  }
  std::uint32_t crc = s3::crc32c(bytes_of(frame).subspan(sizeof frame.crc));
  for (std::uint64_t offset = record.offset; offset != record.end();) {
    const byte_span part = look(offset, record.end() - offset);
    if (part.empty()) return std::nullopt;
    crc = s3::crc32c(part, crc);
    offset += part.size();
  }
  if (crc != frame.crc) return std::nullopt;
  at_ = record.end();
  return record;
}

COROLITH_DECL shared_bytes journal_reader::body(const journal_record& of) {
  const std::uint64_t skipped = of.kind == journal_kind::result ? sizeof(journal_result) : 0;
  byte_buffer bytes;
  const auto size = static_cast<std::size_t>(of.size - skipped);
  if (size == 0) return {};
  bytes.extend(size);
  const std::uint64_t begin = of.offset + skipped;
  if (begin >= buffered_ && begin + size <= buffered_ + buffer_.size()) {
    std::memcpy(bytes.data(), buffer_.data() + (begin - buffered_), size);
  } else if (from_(begin, {bytes.data(), size}) != size) {
    throw error(errc::corrupted, "the journal has become shorter while it was read");
  }
  return bytes.release();
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
