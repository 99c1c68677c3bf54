// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/memory_segment.hpp>
#include <corolith/core/page_faults.hpp>
#include <corolith/wire/frame_reader.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace corolith::inline v0::wire {

namespace detail {

inline constexpr std::size_t slab_size = 256 * 1024;
/// A message in one frame up to this size waits in the slab until it is whole; a larger one gets memory of its own.
inline constexpr std::size_t wait_in_slab = 16 * 1024;
/// While a large message is under way the slab only has to catch the next header; what follows is read into place.
inline constexpr std::size_t read_between_chunks = 4 * 1024;
/// They come with or before their frames, which are small.
inline constexpr std::size_t most_waiting_descriptors = 1024;
inline constexpr std::size_t growth_step = 16 * 1024 * 1024;

/// Read buffers that come back when the last message in them is gone, from whatever thread that happens on.
class slab_pool {
 public:
  slab_pool() = default;
  slab_pool(const slab_pool&) = delete;
  slab_pool& operator=(const slab_pool&) = delete;
  ~slab_pool() {
    for (std::byte* slab : free_) std::free(slab);
  }

  static std::shared_ptr<std::byte> take(const std::shared_ptr<slab_pool>& pool) {
    return std::shared_ptr<std::byte>(pool->pop(), [pool](std::byte* slab) { pool->put(slab); });
  }

 private:
  std::byte* pop() {
    {
      std::lock_guard lock(mutex_);
      if (count_ > 0) return std::exchange(free_[--count_], nullptr);
    }
    void* made = std::malloc(slab_size);
    if (made == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(made);
  }
  void put(std::byte* slab) noexcept {
    {
      std::lock_guard lock(mutex_);
      if (count_ < free_.size()) {
        free_[count_++] = slab;
        return;
      }
    }
    std::free(slab);
  }

  std::mutex mutex_;
  std::array<std::byte*, 2> free_{};
  std::size_t count_ = 0;
};

[[noreturn]] inline void protocol_error(const std::string& what) {
  throw error(errc::protocol, "the peer broke the protocol: " + what);
}

// Grows with what arrived, never to what was announced: a peer that announces 8 GiB and sends nothing costs 16 MiB of
// address space.
inline void make_room(byte_buffer& bytes, std::size_t more, std::uint64_t total) {
  if (bytes.capacity() - bytes.size() >= more) return;
  std::uint64_t wish = std::max<std::uint64_t>(bytes.size() + growth_step, bytes.size() + bytes.size() / 2);
  bytes.reserve(static_cast<std::size_t>(std::max<std::uint64_t>(std::min(wish, total), bytes.size() + more)));
  if (bytes.capacity() >= growth_step && !bytes.in_segment()) prefer_huge_pages(bytes.data(), bytes.capacity());
}

}  // namespace detail

COROLITH_DECL frame_reader::frame_reader(frame_limits limits)
    : limits_(limits), pool_(std::make_shared<detail::slab_pool>()) {}

COROLITH_DECL frame_reader::~frame_reader() = default;

COROLITH_DECL void frame_reader::renew_slab() {
  std::size_t carry = end_ - begin_;
  if (carry == 0) slab_.reset();  // if no message holds it, the same memory comes right back
  std::shared_ptr<std::byte> next_slab = detail::slab_pool::take(pool_);
  if (carry != 0) std::memcpy(next_slab.get(), slab_.get() + begin_, carry);
  slab_ = std::move(next_slab);
  begin_ = 0;
  end_ = carry;
}

COROLITH_DECL mutable_byte_span frame_reader::prepare() {
  if (direct_ != nullptr) {
    detail::make_room(direct_->bytes, direct_left_, direct_->total);
    return {direct_->bytes.data() + direct_->bytes.size(), direct_left_};
  }
  std::size_t room = slab_ ? detail::slab_size - end_ : 0;
  std::size_t missing = wanted_ > end_ - begin_ ? wanted_ - (end_ - begin_) : 1;
  if (room < missing || room < detail::slab_size / 8) {
    renew_slab();
    room = detail::slab_size - end_;
  }
  if (!streams_.empty()) room = std::min(room, std::max(missing, detail::read_between_chunks));
  return {slab_.get() + end_, room};
}

COROLITH_DECL void frame_reader::commit(std::size_t count) {
  if (direct_ != nullptr) {
    direct_->bytes.extend(count);
    direct_left_ -= count;
  } else {
    end_ += count;
  }
}

COROLITH_DECL bool frame_reader::next(message& out) {
  if (descriptors_.size() > detail::most_waiting_descriptors) detail::protocol_error("descriptors without messages");
  for (;;) {
    if (direct_ != nullptr) {
      if (continue_direct(out)) return true;
      if (direct_ != nullptr) return false;
    }
    std::size_t available = end_ - begin_;
    if (available < frame_header_size) {
      wanted_ = frame_header_size;
      return false;
    }
    frame_header header = peek_header();
    check(header);
    if (header.stream == 0) {
      std::size_t whole = frame_header_size + header.length;
      if (available >= whole) {
        out.type = header.type;
        out.body = (header.flags & frame_segment) != 0 ? take_segment(header)
                   : header.length == 0
                       ? shared_bytes()
                       : shared_bytes(slab_, byte_span(slab_.get() + begin_ + frame_header_size, header.length));
        begin_ += whole;
        wanted_ = 0;
        return true;
      }
      if (header.length <= detail::wait_in_slab) {
        wanted_ = whole;
        return false;
      }
    }
    begin_direct(header);
  }
}

COROLITH_DECL frame_header frame_reader::peek_header() const {
  frame_header header;
  std::memcpy(&header, slab_.get() + begin_, frame_header_size);
  return header;
}

COROLITH_DECL void frame_reader::check(const frame_header& header) {
  using detail::protocol_error;
  auto type = static_cast<unsigned>(header.type);
  if (type == 0 || type > static_cast<unsigned>(last_message_type))
    protocol_error("message type " + std::to_string(type) + " does not exist");
  if (header.length > chunk_size) protocol_error("a frame of " + std::to_string(header.length) + " bytes");
  if (header.total > limits_.max_message)
    protocol_error("a message of " + std::to_string(header.total) + " bytes; the limit is " +
                   std::to_string(limits_.max_message));
  if (accepts_segments_ && (header.flags & frame_segment) != 0) return check_segment(header);
  bool first = (header.flags & frame_first) != 0;
  bool last = (header.flags & frame_last) != 0;
  if ((header.flags & ~(frame_first | frame_last)) != 0) protocol_error("unknown frame flags");
  if (header.stream == 0) {
    if (!first || !last || header.total != header.length) protocol_error("a frame that contradicts itself");
    return;
  }
  if (header.length == 0 || header.length > header.total) protocol_error("a chunk of impossible length");
  const assembly* known = find(header.stream);
  if (first != (known == nullptr))
    protocol_error(first ? "a large message begun twice" : "a chunk without a beginning");
  if (known == nullptr) {
    if (streams_.size() >= limits_.max_streams) protocol_error("too many large messages at once");
    if (header.total > limits_.max_reassembly - announced_) protocol_error("too many bytes of large messages at once");
  } else if (known->type != header.type || known->total != header.total) {
    protocol_error("a chunk that does not belong to its message");
  }
  std::uint64_t before = known == nullptr ? 0 : known->bytes.size();
  if (header.length > header.total - before) protocol_error("more bytes than the message has");
  if (last != (before + header.length == header.total)) protocol_error("a large message that ends in the wrong place");
}

COROLITH_DECL void frame_reader::check_segment(const frame_header& header) {
  constexpr unsigned flags = frame_first | frame_last | frame_segment;
  const bool fits = header.length >= sizeof(segment_reference) && header.total >= header.length &&
                    header.length - sizeof(segment_reference) <= most_before_segment;
  if (header.flags != flags || header.stream != 0 || !fits)
    detail::protocol_error("a frame of a message in shared memory that contradicts itself");
}

// The frame is in the slab as a whole.
COROLITH_DECL shared_bytes frame_reader::take_segment(const frame_header& header) {
  if (descriptors_.empty())
    throw error(errc::protocol,
                "a message in shared memory came without its descriptor: this process may have too many files open "
                "(ulimit -n)");
  const std::byte* const payload = slab_.get() + begin_ + frame_header_size;
  segment_reference where;
  std::memcpy(&where, payload, sizeof where);
  const byte_span front(payload + sizeof where, header.length - sizeof where);
  if (where.length != header.total - front.size())
    detail::protocol_error("a frame of a message in shared memory that contradicts itself");
  unique_fd file = std::move(descriptors_.front());
  descriptors_.pop_front();
  return memory_segment::adopt(std::move(file), front, where.offset, where.length);
}

COROLITH_DECL void frame_reader::begin_direct(const frame_header& header) {
  begin_ += frame_header_size;
  wanted_ = 0;
  direct_left_ = header.length;
  direct_last_ = (header.flags & frame_last) != 0;
  if (header.stream == 0) {
    direct_ = &whole_;
  } else if (assembly* known = find(header.stream)) {
    direct_ = known;
    return;
  } else {
    announced_ += header.total;
    direct_ = streams_.emplace_back(std::make_unique<assembly>()).get();
    if (assembles_in_segments_) direct_->bytes.share_when_large();
  }
  direct_->stream = header.stream;
  direct_->type = header.type;
  direct_->total = header.total;
}

COROLITH_DECL bool frame_reader::continue_direct(message& out) {
  std::size_t part = std::min(end_ - begin_, direct_left_);
  if (part != 0) {
    detail::make_room(direct_->bytes, part, direct_->total);
    direct_->bytes.append({slab_.get() + begin_, part});
    begin_ += part;
    direct_left_ -= part;
  }
  if (direct_left_ != 0) return false;
  assembly* done = std::exchange(direct_, nullptr);
  if (!direct_last_) return false;
  out.type = done->type;
  out.body = done->bytes.release();
  if (done->stream != 0) {
    announced_ -= done->total;
    std::erase_if(streams_, [&](const std::unique_ptr<assembly>& each) { return each.get() == done; });
  }
  return true;
}

COROLITH_DECL frame_reader::assembly* frame_reader::find(std::uint16_t stream) noexcept {
  for (const std::unique_ptr<assembly>& each : streams_)
    if (each->stream == stream) return each.get();
  return nullptr;
}

COROLITH_DECL std::size_t frame_reader::held_bytes() const noexcept {
  std::size_t sum = whole_.bytes.size();
  for (const std::unique_ptr<assembly>& each : streams_) sum += each->bytes.size();
  return sum;
}

}  // namespace corolith::inline v0::wire
