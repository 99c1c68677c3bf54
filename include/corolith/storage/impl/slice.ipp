// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/spawn.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/detail/text.hpp>
#include <corolith/storage/error.hpp>
#include <corolith/storage/slice.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace storage::detail {

using byte_vector = std::vector<std::byte>;

inline get_options slice_range(const object_slice& of, std::uint64_t first, std::uint64_t end) {
  get_options how;
  how.range.first = first;
  how.range.last = end - 1;
  how.when.if_match = of.etag;
  return how;
}

/// Offset behind the first such byte from `from` on; nothing when there is none.
inline std::optional<std::size_t> after_byte(const byte_vector& bytes, std::size_t from, char which) {
  if (from >= bytes.size()) return std::nullopt;
  const void* found = std::memchr(bytes.data() + from, which, bytes.size() - from);
  if (found == nullptr) return std::nullopt;
  return static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data()) + 1;
}

inline byte_vector part_of(byte_vector&& bytes, std::size_t begin, std::size_t end) {
  if (begin == 0 && end == bytes.size()) return std::move(bytes);
  return byte_vector(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                     bytes.begin() + static_cast<std::ptrdiff_t>(end));
}

// A boundary x moves to behind the first newline at x - 1 or later, for the slice that ends there and the one that begins there alike. So
// the record that begins at x itself, behind a newline at x - 1, is not skipped.
inline generator<byte_vector> whole_records(store from, object_slice of) {
  bool skipping = of.begin != 0;
  bool complete = true;  // the last byte so far ends a record
  generator<byte_vector> pieces = from.stream(of.key, slice_range(of, skipping ? of.begin - 1 : of.begin, of.end));
  while (std::optional<byte_vector> piece = co_await pieces.next()) {
    std::size_t begin = 0;
    if (skipping) {
      const std::optional<std::size_t> after = after_byte(*piece, 0, *of.newline);
      if (!after) continue;
      begin = *after;
      skipping = false;
    }
    if (piece->empty()) continue;
    complete = piece->back() == static_cast<std::byte>(*of.newline);
    if (begin != piece->size()) {
      byte_vector part = part_of(std::move(*piece), begin, piece->size());
      co_yield std::move(part);
    }
  }
  if (skipping) co_return;  // one record covers all of it, and begins before it
  std::uint64_t step = std::uint64_t{64} << 10;
  for (std::uint64_t at = of.end; !complete && at < of.object_size; step = std::min(step * 4, std::uint64_t{4} << 20)) {
    const std::uint64_t end = std::min(of.object_size, at + step);
    byte_vector piece = co_await from.get(of.key, slice_range(of, at, end));
    at = end;
    const std::optional<std::size_t> after = after_byte(piece, 0, *of.newline);
    complete = after.has_value();
    byte_vector part = part_of(std::move(piece), 0, after.value_or(piece.size()));
    co_yield std::move(part);
  }
}

inline task<byte_vector> gather(generator<byte_vector> pieces, std::uint64_t about) {
  byte_vector all;
  while (std::optional<byte_vector> piece = co_await pieces.next()) {
    if (all.empty()) {
      all = std::move(*piece);
      if (about > all.size()) all.reserve(static_cast<std::size_t>(about + about / 64));
    } else {
      all.insert(all.end(), piece->begin(), piece->end());
    }
  }
  co_return all;
}

inline task<byte_vector> nothing() { co_return byte_vector(); }

inline generator<std::string> split(generator<byte_vector> pieces, char newline) {
  std::string unfinished_line;
  bool open = false;
  while (std::optional<byte_vector> piece = co_await pieces.next()) {
    std::size_t begin = 0;
    while (const std::optional<std::size_t> after = after_byte(*piece, begin, newline)) {
      unfinished_line.append(reinterpret_cast<const char*>(piece->data()) + begin, *after - 1 - begin);
      begin = *after;
      open = false;
      std::string line = std::exchange(unfinished_line, std::string());
      co_yield std::move(line);
    }
    if (begin == piece->size()) continue;
    unfinished_line.append(reinterpret_cast<const char*>(piece->data()) + begin, piece->size() - begin);
    open = true;
  }
  if (open) co_yield std::move(unfinished_line);
}

inline void check_slicing(const slicing& how) {
  if (how.bytes != 0 && how.count != 0)
    throw store_error(errc::misuse, "objects are cut into slices of so many bytes or into so many slices, not both",
                      {});
}

/// Slice `index` of the object that `whole` describes.
inline object_slice cut(const object_slice& whole, const slicing& how, std::uint32_t index) {
  object_slice part = whole;
  const std::uint64_t size = whole.object_size;
  part.index = index;
  if (how.bytes != 0) {
    part.begin = how.bytes * index;
    part.end = std::min(size, part.begin + std::min(how.bytes, size - part.begin));
  } else {
    const auto boundary = [&](std::uint64_t i) {
      return size / whole.count * i + std::min<std::uint64_t>(i, size % whole.count);
    };
    part.begin = boundary(index);
    part.end = boundary(std::uint64_t{index} + 1);
  }
  return part;
}

inline object_slice whole_object(const std::string& url, std::string key, std::string etag, std::uint64_t size,
                                 const slicing& how) {
  object_slice whole;
  whole.url = url;
  whole.key = std::move(key);
  whole.etag = std::move(etag);
  whole.object_size = size;
  whole.newline = how.newline;
  std::uint64_t count = std::max<std::uint64_t>(how.count, 1);
  if (how.bytes != 0 && size != 0) count = size / how.bytes + (size % how.bytes != 0);
  if (count > 0xffffffff)
    throw store_error(errc::misuse, "the object '" + whole.key + "' would be cut into more than 2^32 slices",
                      whole.key);
  whole.count = static_cast<std::uint32_t>(count);
  return whole;
}

inline generator<object_slice> slices_below(store of, std::string prefix, slicing how) {
  check_slicing(how);
  generator<list_entry> listed = of.list(std::move(prefix));
  while (std::optional<list_entry> entry = co_await listed.next()) {
    if (entry->size == 0 && entry->key.ends_with('/')) continue;  // some tools make these in place of folders
    const object_slice whole = whole_object(of.url(), std::move(entry->key), std::move(entry->etag), entry->size, how);
    for (std::uint32_t i = 0; i < whole.count; ++i) {
      object_slice part = cut(whole, how, i);
      co_yield std::move(part);
    }
  }
}

inline generator<object_slice> slices_of(store of, std::vector<std::string> keys, slicing how) {
  check_slicing(how);
  constexpr std::size_t most_ahead = 16;
  std::deque<future<object_info>> ahead;
  std::size_t asked = 0;
  for (std::string& key : keys) {
    while (asked != keys.size() && ahead.size() < most_ahead)
      ahead.push_back(start(background_loop(), of.head(keys[asked++])));
    const future<object_info> next = std::move(ahead.front());
    ahead.pop_front();
    object_info info = co_await next;
    const object_slice whole = whole_object(of.url(), key, std::move(info.etag), info.size, how);
    for (std::uint32_t i = 0; i < whole.count; ++i) {
      object_slice part = cut(whole, how, i);
      co_yield std::move(part);
    }
  }
}

}  // namespace storage::detail

COROLITH_DECL task<std::vector<std::byte>> object_slice::read() const {
  if (begin >= end) return storage::detail::nothing();
  if (newline) return storage::detail::gather(stream(), end - begin);
  return store::open(url).get(key, storage::detail::slice_range(*this, begin, end));
}

COROLITH_DECL task<std::string> object_slice::read_text() const { return storage::detail::as_text(read()); }

COROLITH_DECL generator<std::vector<std::byte>> object_slice::stream() const {
  if (begin >= end) return {};
  const store from = store::open(url);
  if (newline) return storage::detail::whole_records(from, *this);
  return from.stream(key, storage::detail::slice_range(*this, begin, end));
}

COROLITH_DECL generator<std::string> object_slice::lines() const {
  return storage::detail::split(stream(), newline.value_or('\n'));
}

COROLITH_DECL generator<object_slice> store::objects(std::string prefix, slicing how) const {
  return storage::detail::slices_below(*this, std::move(prefix), how);
}
COROLITH_DECL generator<object_slice> store::objects(std::string prefix) const {
  return objects(std::move(prefix), slicing());
}
COROLITH_DECL generator<object_slice> store::objects(std::vector<std::string> keys, slicing how) const {
  return storage::detail::slices_of(*this, std::move(keys), how);
}
COROLITH_DECL generator<object_slice> store::objects(std::vector<std::string> keys) const {
  return objects(std::move(keys), slicing());
}

}  // namespace v0
}  // namespace corolith
