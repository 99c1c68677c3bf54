// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/coro/object_source.hpp>
#include <corolith/coro/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

/// Some bytes, in pieces one behind the other.
struct gathered_part {
  std::vector<shared_bytes> pieces;
  std::uint64_t size = 0;

  std::vector<byte_span> spans() const {
    std::vector<byte_span> all;
    all.reserve(pieces.size());
    for (const shared_bytes& piece : pieces) all.push_back(piece.span());
    return all;
  }
};

/// Cuts what a stream gives into parts of given sizes. Large pieces are shared between parts, not copied; small ones are copied together. Runs
/// where the stream is to run.
class part_gatherer {
 public:
  explicit part_gatherer(object_source::byte_stream from) : from_(std::move(from)) {}

  /// The next `size` bytes; fewer at the end of the stream, and none behind it.
  task<gathered_part> next(std::uint64_t size) {
    gathered_part part;
    byte_buffer small;
    while (part.size < size) {
      if (rest_.empty()) co_await refill();
      if (rest_.empty()) break;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(rest_.size(), size - part.size));
      take(part, small, count);
      part.size += count;
    }
    flush(part, small);
    co_return part;
  }

 private:
  static constexpr std::size_t worth_sharing = std::size_t{128} << 10;
  static constexpr std::size_t copied_together = std::size_t{1} << 20;

  /// Nothing stays nothing at the end of the stream.
  task<void> refill() {
    while (rest_.empty()) {
      std::optional<std::vector<std::byte>> piece = co_await from_.next();
      if (!piece) co_return;
      auto kept = std::make_shared<std::vector<std::byte>>(std::move(*piece));
      const byte_span bytes = *kept;
      rest_ = shared_bytes(std::move(kept), bytes);
    }
  }

  void take(gathered_part& part, byte_buffer& small, std::size_t count) {
    if (count >= worth_sharing) {
      flush(part, small);
      part.pieces.push_back(rest_.slice(0, count));
    } else {
      if (small.size() + count > copied_together) flush(part, small);
      small.append(rest_.span().first(count));
    }
    rest_ = rest_.slice(count);
  }

  static void flush(gathered_part& part, byte_buffer& small) {
    if (!small.empty()) part.pieces.push_back(small.release());
  }

  object_source::byte_stream from_;
  shared_bytes rest_;
};

}  // namespace corolith::inline v0::s3::detail
