// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/run_on.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/object_headers.hpp>
#include <corolith/s3/detail/reserved.hpp>

#include <algorithm>
#include <limits>

namespace corolith::inline v0::s3::detail {

inline bool is_weak(const std::string& etag) { return etag.starts_with("W/"); }

[[noreturn]] COROLITH_DECL void download::fail(errc code, const std::string& message) const {
  throw error_of(request("get", "GET", bucket_, key_), code, message);
}

inline request download::plain() const {
  request what("get", "GET", bucket_, key_);
  if (!how_.version_id.empty()) what.query.emplace_back("versionId", how_.version_id);
  if (!info_.etag.empty()) {  // known: all answers have to be of this object
    if (!is_weak(info_.etag)) what.headers.add("if-match", quoted_etag(info_.etag));
  } else {
    add_conditions(what.headers, how_.when);
  }
  return what;
}

inline request download::ranged(std::uint64_t from, std::uint64_t last) const {
  request what = plain();
  what.headers.add("range", range_text(from, last));
  return what;
}

inline task<void> download::find_size() {
  info_ = co_await head_object(home_, bucket_, key_, how_);
  const byte_range& range = how_.range;
  first_ = range.first.value_or(0);
  if (!range.first && range.last) first_ = info_.size - std::min(*range.last, info_.size);
}

COROLITH_DECL task<std::optional<open_body>> download::begin(std::uint64_t most) {
  const byte_range& range = how_.range;
  const bool suffix = !range.first && range.last;
  const bool whole = !range.first && !range.last;
  if (range.first && range.last && *range.last < *range.first)
    fail(errc::misuse, "a range that ends before it begins: " + range.to_string());
  most = std::max<std::uint64_t>(most, 1);
  if ((suffix && *range.last > most) || (whole && how_.verify_checksum)) co_await find_size();
  if (whole && how_.verify_checksum && info_.size == 0) co_return std::nullopt;
  const bool by_suffix = suffix && info_.etag.empty() && *range.last <= most;
  const std::uint64_t from = suffix ? first_ : range.first.value_or(0);
  constexpr std::uint64_t end_of_numbers = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t last = from > end_of_numbers - most ? end_of_numbers : from + most - 1;
  if (range.first && range.last) last = std::min(last, *range.last);
  request what = plain();
  what.headers.add("range", by_suffix ? range.to_string() : range_text(from, last));
  attempts tries(*home_, what);
  try {
    answer got = co_await perform(home_, &what, &tries);
    tries.succeeded();
    co_return understand(std::move(got), by_suffix ? std::nullopt : std::optional(from));
  } catch (const s3_error& refused) {
    if (refused.status() != 416 || !whole) throw;
  }
  co_return co_await begin_without_range();  // there is no first byte: the object is empty
}

inline task<std::optional<open_body>> download::begin_without_range() {
  request what = plain();
  attempts tries(*home_, what);
  answer got = co_await perform(home_, &what, &tries);
  tries.succeeded();
  co_return understand(std::move(got), 0);
}

inline std::optional<open_body> download::understand(answer got, std::optional<std::uint64_t> asked_first) {
  if (!info_.etag.empty() || info_.size != 0) {  // after find_size
    const std::uint64_t end =
        how_.range.first && how_.range.last ? std::min(*how_.range.last + 1, info_.size) : info_.size;
    size_ = end - std::min(first_, end);
    return check(std::move(got), first_);
  }
  info_ = object_info_of(got.head);
  const byte_range& range = how_.range;
  open_body body;
  if (got.head.status == 206) {
    const auto given = parse_content_range(got.head.headers.value("content-range"));
    if (!given || !given->total || (asked_first && given->first != *asked_first))
      fail(errc::corrupted, "the answer to a request for a range does not say which one it is");
    if (got.head.content_length && *got.head.content_length != given->last - given->first + 1)
      fail(errc::corrupted, "the answer is not as long as the range it names");
    first_ = given->first;
    body.next = given->first;
    body.end = given->last + 1;
  } else {
    if (!got.head.content_length) fail(errc::corrupted, "the answer does not say how long the object is");
    in_parts_ = false;
    first_ = range.first.value_or(0);
    if (!range.first && range.last) first_ = info_.size - std::min(*range.last, info_.size);
    if (first_ >= info_.size && range.first)
      fail(errc::misuse,
           "the range begins behind the end of the object, which has " + std::to_string(info_.size) + " bytes");
    body.end = info_.size;
  }
  const std::uint64_t end = range.first && range.last && *range.last < info_.size ? *range.last + 1 : info_.size;
  size_ = end - std::min(first_, end);
  body.got = std::move(got);
  return body;
}

/// An answer to one of the later requests: it must be of the same object.
inline open_body download::check(answer got, std::uint64_t from) const {
  const object_info now = object_info_of(got.head);
  if (now.size != info_.size || now.etag != info_.etag)
    fail(errc::precondition_failed, "the object was replaced by another one while it was read");
  open_body body;
  if (got.head.status == 206) {
    const auto given = parse_content_range(got.head.headers.value("content-range"));
    if (!given || given->first != from) fail(errc::corrupted, "the answer is of another range than was asked for");
    body.next = from;
    body.end = given->last + 1;
  } else {
    body.end = info_.size;
  }
  body.got = std::move(got);
  return body;
}

/// Receives from an answer until `place` is full from `done` on. What stands before `offset` in the answer is skipped.
inline task<failure> receive_some(lane* at, open_body* body, std::uint64_t offset, mutable_byte_span place,
                                  std::size_t* done) {
  failure why;
  try {
    std::vector<std::byte> skipped;
    while (body->next < offset + *done) {
      constexpr std::size_t at_once = std::size_t{256} << 10;
      skipped.resize(static_cast<std::size_t>(std::min<std::uint64_t>(at_once, offset + *done - body->next)));
      const std::size_t got = co_await body->got.from.receive_all(skipped);
      if (got == 0) break;
      body->next += got;
    }
    while (*done < place.size() && body->next < body->end) {
      const std::uint64_t left = body->end - body->next;
      mutable_byte_span rest = place.subspan(*done);
      if (rest.size() > left) rest = rest.first(static_cast<std::size_t>(left));
      const std::size_t got = co_await body->got.from.receive_many(rest);
      if (got == 0) break;
      *done += got;
      body->next += got;
      at->core.counted.bytes_received.fetch_add(got, std::memory_order_relaxed);
    }
    if (*done == place.size()) co_return why;
    why.details.message = "the answer ended before its time";
  } catch (const transport_error& cause) {
    why.code = cause.code();
    why.details.message = cause.what();
  }
  why.what = failure::kind::lost;
  co_return why;
}

COROLITH_DECL task<void> download::receive(lane* at, std::uint64_t offset, mutable_byte_span place,
                                           std::optional<open_body>* body) const {
  constexpr std::size_t some = std::size_t{64} << 10;
  if (place.empty()) co_return;
  std::size_t done = 0;
  failure why;
  if (*body) {
    why = co_await receive_some(at, &**body, offset, place, &done);
    if (!why) {
      if ((*body)->next == (*body)->end) body->reset();
      co_return;
    }
  }
  request what = plain();
  attempts tries(*at, what);
  for (;;) {
    if (why) {
      body->reset();
      describe(why, what);
      co_await tries.after(std::move(why));
    }
    if (!*body) {
      what.headers.set("range", range_text(offset + done, offset + place.size() - 1));
      answer got = co_await perform(at, &what, &tries);
      body->emplace(check(std::move(got), offset + done));
    }
    const std::size_t before = done;
    why = co_await receive_some(at, &**body, offset, place, &done);
    if (!why) {
      tries.succeeded();
      if ((*body)->next == (*body)->end) body->reset();
      co_return;
    }
    if (done - before >= some) tries.progressed();
  }
}

/// Receives parts until none is left.
inline task<void> receive_parts(const download* of, lane* at, part_counter* parts, std::uint64_t from,
                                mutable_byte_span place) {
  const std::uint64_t size = at->core.part_size();
  while (const std::optional<std::uint64_t> index = parts->take()) {
    const std::uint64_t begin = from + *index * size;
    const std::uint64_t end = std::min(begin + size, of->first() + of->size());
    std::optional<open_body> none;
    co_await of->receive(
        at, begin, place.subspan(static_cast<std::size_t>(begin - of->first()), static_cast<std::size_t>(end - begin)),
        &none);
  }
}

inline task<void> receive_begun(const download* of, std::optional<open_body> body, mutable_byte_span place) {
  co_await of->receive(&of->home(), of->first(), place, &body);
}

COROLITH_DECL task<void> download::receive_all(std::optional<open_body> body, mutable_byte_span place) const {
  const std::uint64_t end = first_ + size_;
  const std::uint64_t begun = body ? std::min(body->end, end) : first_;
  if (!in_parts_ || begun >= end) {
    co_await receive(home_, first_, place, &body);
    co_return;
  }
  const std::uint64_t size = home_->core.part_size();
  const std::uint64_t count = (end - begun + size - 1) / size;
  part_counter parts(0, count);
  std::vector<task<void>> all;
  if (body) all.push_back(receive_begun(this, std::move(body), place.first(static_cast<std::size_t>(begun - first_))));
  const std::uint64_t workers = std::min<std::uint64_t>(count, home_->core.breadth());
  for (std::uint64_t i = 0; i < workers; ++i) {
    lane& at = home_->core.behind(*home_, i);
    all.push_back(on_lane(&at, home_, receive_parts(this, &at, &parts, begun, place)));
  }
  co_await when_all(std::move(all));
}

COROLITH_DECL bool download::to_be_verified() const noexcept {
  return how_.verify_checksum && how_.range == byte_range() && !info_.checksums.empty();
}

COROLITH_DECL void download::verify(byte_span place) const {
  if (!to_be_verified()) return;
  std::vector<checksum> sums;
  for (const auto& [kind, expected] : info_.checksums) {
    sums.emplace_back(kind);
    sums.back().update(place);
  }
  verify(sums);
}

COROLITH_DECL void download::verify(const std::vector<checksum>& found) const {
  for (const checksum& sum : found) {
    const std::string& expected = info_.checksums.at(sum.kind());
    if (expected.find('-') != std::string::npos) continue;  // of the checksums of parts, which nobody knows here
    if (const std::string made = sum.base64(); made != expected)
      fail(errc::corrupted, "what came has the " + std::string(checksum_name(sum.kind())) + ' ' + made +
                                ", and the server has " + expected);
  }
}

COROLITH_DECL task<std::vector<std::byte>> get_object(lane* at, std::string bucket, std::string key, get_options how) {
  download of(at, std::move(bucket), std::move(key), std::move(how));
  std::optional<open_body> body = co_await of.begin(at->core.part_size());
  std::vector<std::byte> bytes = make_bytes(static_cast<std::size_t>(of.size()));
  co_await of.receive_all(std::move(body), bytes);
  of.verify(bytes);
  co_return bytes;
}

COROLITH_DECL task<std::size_t> get_object_into(lane* at, std::string bucket, std::string key, mutable_byte_span place,
                                                get_options how) {
  download of(at, std::move(bucket), std::move(key), std::move(how));
  std::optional<open_body> body = co_await of.begin(std::min(at->core.part_size(), place.size()));
  if (of.size() > place.size())
    of.fail(errc::misuse,
            "it gives " + std::to_string(of.size()) + " bytes, and there is room for " + std::to_string(place.size()));
  const mutable_byte_span used = place.first(static_cast<std::size_t>(of.size()));
  co_await of.receive_all(std::move(body), used);
  of.verify(used);
  co_return used.size();
}

COROLITH_DECL task<object_info> head_object(lane* at, std::string bucket, std::string key, get_options how) {
  request what("head", "HEAD", std::move(bucket), std::move(key));
  if (!how.version_id.empty()) what.query.emplace_back("versionId", how.version_id);
  add_conditions(what.headers, how.when);
  if (how.verify_checksum) what.headers.add("x-amz-checksum-mode", "ENABLED");
  text_answer got = co_await perform_text(at, &what);
  co_return object_info_of(got.head);
}

}  // namespace corolith::inline v0::s3::detail
