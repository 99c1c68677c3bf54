// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/wire/detail/descriptors.hpp>
#include <corolith/wire/frame_writer.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace corolith::inline v0::wire {

namespace detail {

/// Tails up to this size are copied: cheaper than one more entry in the gather list.
inline constexpr std::size_t copy_tail = 8 * 1024;
/// Small messages lie together in groups of about this size; an urgent one gets in between two groups.
inline constexpr std::size_t group_size = 64 * 1024;
inline constexpr std::size_t keep_arena = 4 * 1024 * 1024;

inline constexpr std::uint64_t nested_key = ~std::uint64_t{0};
inline constexpr std::uint64_t control_key = nested_key - 1;

inline constexpr bool is_barrier(message_type type) noexcept {
  return type == message_type::goodbye || type == message_type::shutdown;
}

/// Messages with the same key keep their order: the batch for all bodies that start with its number.
inline std::uint64_t order_key(message_type type, byte_span head, byte_span tail) noexcept {
  switch (type) {
    case message_type::batch_open:
    case message_type::batch_close:
    case message_type::call:
    case message_type::cancel:
    case message_type::recall:
    case message_type::result:
    case message_type::returned:
    case message_type::started:
    case message_type::output:
    case message_type::blocked:
    case message_type::unblocked: break;
    case message_type::nested_up:
    case message_type::nested_down:
    case message_type::nested_gone: return nested_key;
    default: return control_key;
  }
  std::uint64_t key = 0;
  std::size_t from_head = std::min(sizeof key, head.size());
  if (from_head != 0) std::memcpy(&key, head.data(), from_head);
  std::size_t from_tail = std::min(sizeof key - from_head, tail.size());
  if (from_tail != 0) std::memcpy(reinterpret_cast<std::byte*>(&key) + from_head, tail.data(), from_tail);
  return key;
}

inline std::size_t bytes_on_the_wire(std::size_t size) noexcept {
  std::size_t frames = size <= chunk_size ? 1 : (size + chunk_size - 1) / chunk_size;
  return size + frames * frame_header_size;
}

}  // namespace detail

COROLITH_DECL void frame_writer::item_queue::pop() noexcept {
  items[front].first = {};
  items[front].second = {};
  items[front].end.reset();
  ++front;
  if (front == items.size()) {
    items.clear();
    front = 0;
  } else if (front >= 64 && front * 2 >= items.size()) {
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(front));
    front = 0;
  }
}

COROLITH_DECL void frame_writer::append(message_type type, byte_span head, shared_bytes tail) {
  const std::size_t size = size_of(head, tail);  // what it takes may change with `tail`
  if (head.size() + tail.size() <= chunk_size && large_.empty() && parked_.empty())
    place_small(type, head, std::move(tail));
  else
    append_slow(type, head, std::move(tail));
  queued_ += detail::bytes_on_the_wire(size);
}

COROLITH_DECL std::optional<memory_segment::place> frame_writer::shared_place(byte_span head,
                                                                              const shared_bytes& tail) const noexcept {
  if (!shares_segments_ || tail.size() < byte_buffer::least_shared) return std::nullopt;
  std::optional<memory_segment::place> found = memory_segment::find(tail);
  if (found && (found->length == 0 || head.size() + found->before > most_before_segment)) found.reset();
  return found;
}

// Of what is written for a message, frame headers aside.
COROLITH_DECL std::size_t frame_writer::size_of(byte_span head, const shared_bytes& tail) const noexcept {
  const auto where = shared_place(head, tail);
  return head.size() + (where ? sizeof(segment_reference) + where->before : tail.size());
}

COROLITH_DECL void frame_writer::append_urgent(message_type type) {
  if (std::find(urgent_.begin(), urgent_.end(), type) != urgent_.end()) return;
  urgent_.push_back(type);
  queued_ += frame_header_size;
}

COROLITH_DECL bool frame_writer::admissible(message_type type, std::size_t size) const noexcept {
  if (detail::is_barrier(type)) return large_.empty();
  return size <= chunk_size || large_.size() < max_send_streams;
}

COROLITH_DECL void frame_writer::append_slow(message_type type, byte_span head, shared_bytes tail) {
  if (!parked_.empty() || !admissible(type, size_of(head, tail)))
    parked_.push_back({type, shared_bytes::copy(head), std::move(tail)});
  else
    place(type, head, tail, detail::order_key(type, head, tail));
}

COROLITH_DECL void frame_writer::place(message_type type, byte_span head, shared_bytes tail, std::uint64_t key) {
  for (const std::unique_ptr<large>& each : large_) {
    if (each->key != key) continue;
    each->behind.push_back({type, shared_bytes::copy(head), std::move(tail)});
    return;
  }
  if (const auto where = shared_place(head, tail))
    place_shared(type, head, std::move(tail), *where);
  else if (head.size() + tail.size() > chunk_size)
    start_large(type, head, std::move(tail), key);
  else
    place_small(type, head, std::move(tail));
}

COROLITH_DECL void frame_writer::place_small(message_type type, byte_span head, shared_bytes tail) {
  bool copied = tail.size() <= detail::copy_tail;
  std::uint64_t arena_end = arena_base_ + arena_.size();
  if (small_.empty() || !small_.items.back().second.empty() || small_.items.back().end ||
      small_.items.back().arena_end - small_.items.back().arena_begin >= detail::group_size) {
    item& group = small_.items.emplace_back();
    group.arena_begin = group.arena_end = arena_end;
  }
  item& group = small_.items.back();

  frame_header header;
  header.total = head.size() + tail.size();
  header.length = static_cast<std::uint32_t>(header.total);
  header.type = type;
  std::size_t here = frame_header_size + head.size() + (copied ? tail.size() : 0);
  std::byte* place = arena_.extend(here);
  std::memcpy(place, &header, frame_header_size);
  if (!head.empty()) std::memcpy(place + frame_header_size, head.data(), head.size());
  group.arena_end += here;
  if (!copied)
    group.second = std::move(tail);
  else if (!tail.empty())
    std::memcpy(place + frame_header_size + head.size(), tail.data(), tail.size());
}

// A small frame that says where the rest is.
COROLITH_DECL void frame_writer::place_shared(message_type type, byte_span head, shared_bytes tail,
                                              const memory_segment::place& where) {
  item& made = small_.items.emplace_back();
  made.arena_begin = made.arena_end = arena_base_ + arena_.size();
  frame_header header;
  header.length = static_cast<std::uint32_t>(sizeof(segment_reference) + head.size() + where.before);
  header.total = head.size() + tail.size();
  header.type = type;
  header.flags = frame_first | frame_last | frame_segment;
  arena_.append_value(header);
  arena_.append_value(segment_reference{where.offset, where.length});
  arena_.append(head);
  arena_.append(tail.span().first(where.before));
  made.arena_end += frame_header_size + header.length;
  made.end = std::make_unique<shared_end>();
  made.end->segment = where.segment;
  made.end->bytes = std::move(tail);
}

COROLITH_DECL void frame_writer::start_large(message_type type, byte_span head, shared_bytes tail, std::uint64_t key) {
  auto made = std::make_unique<large>();
  made->type = type;
  made->key = key;
  made->stream = free_stream();
  made->head = shared_bytes::copy(head);
  made->tail = std::move(tail);
  large_.push_back(std::move(made));
}

COROLITH_DECL std::uint16_t frame_writer::free_stream() const noexcept {
  std::uint16_t candidate = 1;
  auto used = [&](const std::unique_ptr<large>& each) { return each->stream == candidate; };
  while (std::any_of(large_.begin(), large_.end(), used)) ++candidate;
  return candidate;
}

// Moves the next chunk of one of the large messages, each in its turn, to what goes out next.
COROLITH_DECL bool frame_writer::commit_chunk() {
  if (large_.empty()) return false;
  if (next_large_ >= large_.size()) next_large_ = 0;
  large& source = *large_[next_large_];
  std::uint64_t length = std::min<std::uint64_t>(chunk_size, source.total() - source.offset);

  frame_header header;
  header.length = static_cast<std::uint32_t>(length);
  header.type = source.type;
  header.stream = source.stream;
  header.total = source.total();
  header.flags = 0;
  if (source.offset == 0) header.flags |= frame_first;
  if (source.offset + length == header.total) header.flags |= frame_last;

  item& chunk = committed_.items.emplace_back();
  std::memcpy(chunk.header, &header, frame_header_size);
  chunk.header_size = frame_header_size;
  if (source.offset < source.head.size()) chunk.first = source.head.slice(source.offset, length);
  std::uint64_t in_tail = source.offset + chunk.first.size() - source.head.size();
  if (chunk.first.size() < length) chunk.second = source.tail.slice(in_tail, length - chunk.first.size());
  committed_bytes_ += frame_header_size + length;

  source.offset += length;
  if (source.offset == header.total)
    finish_large(next_large_);
  else
    ++next_large_;
  return true;
}

COROLITH_DECL void frame_writer::finish_large(std::size_t index) {
  std::unique_ptr<large> done = std::move(large_[index]);
  large_.erase(large_.begin() + static_cast<std::ptrdiff_t>(index));
  for (parked& each : done->behind) place(each.type, each.head, std::move(each.tail), done->key);
  while (!parked_.empty() && admissible(parked_.front().type, size_of(parked_.front().head, parked_.front().tail))) {
    parked each = std::move(parked_.front());
    parked_.pop_front();
    std::uint64_t key = detail::order_key(each.type, each.head, each.tail);
    place(each.type, each.head, std::move(each.tail), key);
  }
}

// Decides what goes next: urgent messages, small ones, and one chunk of a large one, so that none of them starves.
COROLITH_DECL void frame_writer::commit_next() {
  for (message_type type : urgent_) {
    frame_header header;
    header.type = type;
    item& made = committed_.items.emplace_back();
    std::memcpy(made.header, &header, frame_header_size);
    made.header_size = frame_header_size;
    committed_bytes_ += frame_header_size;
  }
  urgent_.clear();
  while (!small_.empty() && committed_bytes_ < chunk_size) {
    item& next = small_.items[small_.front];
    committed_bytes_ += next.arena_end - next.arena_begin + next.second.size();
    committed_.items.push_back(std::move(next));
    small_.pop();
  }
  commit_chunk();
}

COROLITH_DECL std::size_t frame_writer::gather(std::span<byte_span> out) {
  if (committed_bytes_ < chunk_size) commit_next();
  std::size_t used = 0;
  std::size_t skip = sent_of_front_;
  auto add = [&](const std::byte* data, std::size_t size) {
    std::size_t skipped = std::min(skip, size);
    skip -= skipped;
    if (size != skipped) out[used++] = {data + skipped, size - skipped};
  };
  descriptors_.clear();
  for (gathered_end_ = committed_.front; gathered_end_ < committed_.items.size() && used + 4 <= out.size();
       ++gathered_end_) {
    const item& each = committed_.items[gathered_end_];
    if (each.end && !each.end->passed) {
      if (descriptors_.size() == detail::most_descriptors) break;
      descriptors_.push_back(each.end->segment->descriptor());
      // Before it goes: once the peer has it he may be done with it at any time.
      if (!std::exchange(each.end->counted, true)) each.end->segment->add_holder();
    }
    add(each.header, each.header_size);
    if (each.arena_end != each.arena_begin)
      add(arena_.data() + (each.arena_begin - arena_base_),
          static_cast<std::size_t>(each.arena_end - each.arena_begin));
    add(each.first.data(), each.first.size());
    add(each.second.data(), each.second.size());
  }
  return used;
}

COROLITH_DECL void frame_writer::consume(std::size_t count) {
  if (count == 0) return;
  if (!descriptors_.empty())
    for (std::size_t i = committed_.front; i < gathered_end_; ++i)
      if (committed_.items[i].end) committed_.items[i].end->passed = true;
  descriptors_.clear();
  queued_ -= count;
  committed_bytes_ -= count;
  sent_of_front_ += count;
  while (!committed_.empty()) {
    const item& front = committed_.items[committed_.front];
    std::size_t in_arena = static_cast<std::size_t>(front.arena_end - front.arena_begin);
    std::size_t size = front.header_size + in_arena + front.first.size() + front.second.size();
    if (sent_of_front_ < size) break;
    sent_of_front_ -= size;
    std::uint64_t arena_end = front.arena_end;
    committed_.pop();
    if (in_arena != 0) drop_arena(arena_end);
  }
}

COROLITH_DECL void frame_writer::drop_arena(std::uint64_t up_to) {
  std::size_t gone = static_cast<std::size_t>(up_to - arena_base_);
  if (gone == arena_.size()) {
    arena_.clear();
    if (arena_.capacity() > detail::keep_arena) arena_ = byte_buffer();
  } else if (gone >= chunk_size && gone * 2 >= arena_.size()) {
    std::size_t left = arena_.size() - gone;
    std::memmove(arena_.data(), arena_.data() + gone, left);
    arena_.truncate(left);
  } else {
    return;
  }
  arena_base_ = up_to;
}

}  // namespace corolith::inline v0::wire
