// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/beast.hpp>
#include <corolith/s3/detail/response_reader.hpp>
#include <corolith/s3/transport_error.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace corolith::inline v0::s3::detail {

/// Beast's parser of one response. Fields go to a list, a chunked body to where somebody wants it.
class response_parser final : public http::basic_parser<false> {
 public:
  explicit response_parser(bool head_only) {
    header_limit(response_reader::longest_head);
    body_limit(boost::none);
    skip(head_only);
  }

  http_response head;
  mutable_byte_span into;        ///< room for a chunked body
  std::uint64_t chunk_left = 0;  ///< zero: a line about the next chunk comes first

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, beast::error_code&) override {}
  void on_response_impl(int status, beast::string_view reason, int, beast::error_code&) override {
    head.status = status;
    head.reason.assign(reason.data(), reason.size());
    head.headers.reserve(16);
  }
  void on_field_impl(http::field, beast::string_view name, beast::string_view value, beast::error_code&) override {
    if (is_header_done()) return;  // behind a chunked body
    head.headers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, beast::error_code&) override { chunk_left = size; }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code&) override {
    const std::size_t taken = std::min(body.size(), into.size());
    std::memcpy(into.data(), body.data(), taken);
    into = into.subspan(taken);
    chunk_left -= taken;
    return taken;
  }
  void on_finish_impl(beast::error_code&) override {}
};

struct response_reader::parser {
  std::optional<response_parser> one;  // Beast's serves one message
  bool head_only = false;
};

namespace reader {

inline constexpr std::size_t usual_room = 16 * 1024;
inline constexpr std::size_t largest_room = response_reader::longest_head + 1;
/// The shortest rest of a chunked body. Beast asserts on less where the last chunk is the only one.
inline constexpr std::size_t shortest_end = 5;

[[noreturn]] inline void refuse(const std::string& why) {
  throw transport_error(errc::protocol, "the server's answer is no proper HTTP: " + why);
}
[[noreturn]] inline void cut_off(const std::string& where) {
  throw transport_error(errc::unreachable, "the server closed the connection " + where);
}

}  // namespace reader

COROLITH_DECL response_reader::response_reader() : parser_(std::make_unique<parser>()) {}
COROLITH_DECL response_reader::~response_reader() = default;

COROLITH_DECL void response_reader::expect(bool head_only) {
  parser_->head_only = head_only;
  parser_->one.emplace(head_only);
  state_ = state::head;
  keep_alive_ = began_ = ended_ = false;
  head_size_ = 0;
  left_ = taken_ = 0;
}

COROLITH_DECL mutable_byte_span response_reader::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.capacity() == 0) buffer_.reserve(reader::usual_room);
  if (end_ == buffer_.capacity() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == buffer_.capacity()) {
    if (end_ >= reader::largest_room) {
      state_ = state::failed;
      reader::refuse("a line about a chunk is longer than " + std::to_string(reader::largest_room) + " bytes");
    }
    buffer_.reserve(std::min(2 * end_, reader::largest_room));
  }
  return {buffer_.data() + end_, buffer_.capacity() - end_};
}

COROLITH_DECL void response_reader::received(std::size_t count) {
  end_ += count;
  began_ = began_ || count > 0;
}

COROLITH_DECL void response_reader::ended() { ended_ = true; }

COROLITH_DECL bool response_reader::take_head(http_response& into) {
  if (state_ != state::head) throw error(errc::misuse, "there is no head to take");
  beast::error_code failure;
  response_parser& one = *parser_->one;
  if (begin_ != end_) {
    const std::size_t used = one.put({buffer_.data() + begin_, end_ - begin_}, failure);
    begin_ += used;
    head_size_ += used;
  }
  const bool whole = one.is_header_done();
  const bool failed = failure && failure != http::error::need_more;
  const bool too_long = failure == http::error::header_limit || head_size_ + (whole ? 0 : end_ - begin_) > longest_head;
  if (failed || too_long) {
    state_ = state::failed;
    reader::refuse(too_long ? "its head is longer than " + std::to_string(longest_head) + " bytes" : failure.message());
  }
  if (!whole) {
    if (!ended_) return false;
    state_ = state::failed;
    reader::cut_off(began_ ? "within the head of its answer" : "without an answer");
  }
  into = std::move(one.head);
  if (const auto length = one.content_length()) into.content_length = *length;
  into.keep_alive = keep_alive_ = one.keep_alive();
  if (into.status / 100 == 1 && into.status != 101) {  // of no use but to wait for: another one follows
    parser_->one.emplace(parser_->head_only);
  } else if (one.is_done()) {
    state_ = state::complete;
  } else if (one.chunked()) {
    state_ = state::chunked;
  } else if (into.content_length) {
    state_ = state::sized;
    left_ = *into.content_length;
  } else {
    state_ = state::to_end;
  }
  return true;
}

COROLITH_DECL std::size_t response_reader::take_body(mutable_byte_span into) {
  switch (state_) {
    case state::sized: return take_sized(into);
    case state::chunked: return take_chunked(into);
    case state::to_end: return take_to_end(into);
    case state::complete: return 0;
    default: throw error(errc::misuse, "there is no body before the head of a response, nor after a failure");
  }
}

inline std::size_t response_reader::take_sized(mutable_byte_span into) {
  const std::size_t count =
      std::min(into.size(), static_cast<std::size_t>(std::min<std::uint64_t>(left_, end_ - begin_)));
  if (count > 0) std::memcpy(into.data(), buffer_.data() + begin_, count);
  begin_ += count;
  left_ -= count;
  taken_ += count;
  if (left_ == 0) {
    finish();
  } else if (begin_ == end_ && ended_ && count == 0 && !into.empty()) {
    state_ = state::failed;
    reader::cut_off("after " + std::to_string(taken_) + " of " + std::to_string(taken_ + left_) + " bytes");
  }
  return count;
}

inline std::size_t response_reader::take_chunked(mutable_byte_span into) {
  response_parser& one = *parser_->one;
  one.into = into;
  bool more = false;
  while (begin_ != end_ && !one.is_done() && !more && (one.chunk_left == 0 || !one.into.empty())) {
    if (one.chunk_left == 0 && end_ - begin_ < reader::shortest_end) break;
    beast::error_code failure;
    begin_ += one.put({buffer_.data() + begin_, end_ - begin_}, failure);
    more = failure == http::error::need_more;
    if (!failure || more) continue;
    state_ = state::failed;
    reader::refuse(failure.message());
  }
  const std::size_t count = into.size() - one.into.size();
  taken_ += count;
  if (one.is_done()) {
    finish();
  } else if (ended_ && count == 0 && !into.empty()) {
    state_ = state::failed;
    reader::cut_off("after " + std::to_string(taken_) + " bytes, before the last chunk of its answer");
  }
  return count;
}

inline std::size_t response_reader::take_to_end(mutable_byte_span into) {
  const std::size_t count = std::min(into.size(), end_ - begin_);
  if (count > 0) std::memcpy(into.data(), buffer_.data() + begin_, count);
  begin_ += count;
  taken_ += count;
  if (begin_ == end_ && ended_) state_ = state::complete;
  return count;
}

inline void response_reader::finish() {
  state_ = state::complete;
  if (begin_ == end_) return;
  state_ = state::failed;
  reader::refuse("it is longer than it says");
}

COROLITH_DECL std::uint64_t response_reader::may_bypass() const noexcept {
  if (begin_ != end_ || ended_) return 0;
  if (state_ == state::sized) return left_;
  return state_ == state::to_end ? std::numeric_limits<std::uint64_t>::max() : 0;
}

COROLITH_DECL void response_reader::bypassed(std::size_t count) {
  taken_ += count;
  if (state_ != state::sized) return;
  left_ -= count;
  if (left_ == 0) state_ = state::complete;
}

COROLITH_DECL std::uint64_t response_reader::least_left() const noexcept {
  return state_ == state::chunked ? parser_->one->chunk_left : left_;
}

COROLITH_DECL bool response_reader::reusable() const noexcept {
  return state_ == state::complete && keep_alive_ && begin_ == end_ && !ended_;
}

inline bool is_token(std::string_view text) {
  constexpr std::string_view also = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [also](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
           also.find(c) != std::string_view::npos;
  });
}

/// Whether no byte of a text ends the line that it is put in, or is invisible there. A target has no space either.
inline bool stays_in_line(std::string_view text, char lowest) {
  return std::all_of(text.begin(), text.end(), [lowest](char c) {
    const auto code = static_cast<unsigned char>(c);
    return (code >= static_cast<unsigned char>(lowest) && code != 0x7f) || (c == '\t' && lowest == ' ');
  });
}

// Beast's serialiser needs a container of its own with an allocation for each field, and 3 s to compile, for what is but
// this.
COROLITH_DECL void append_head(byte_buffer& to, const http_request& head) {
  if (!is_token(head.method)) throw error(errc::misuse, "'" + head.method + "' is no method of HTTP");
  if (head.target.empty() || !stays_in_line(head.target, '!'))
    throw error(errc::misuse, "a target of HTTP must have its spaces and control characters encoded");
  const auto add = [&to](std::string_view text) { to.append(std::as_bytes(std::span(text))); };
  add(head.method);
  add(" ");
  add(head.target);
  add(" HTTP/1.1\r\n");
  for (const header_field& field : head.headers) {
    if (!is_token(field.name)) throw error(errc::misuse, "'" + field.name + "' is no name of a header");
    if (!stays_in_line(field.value, ' '))
      throw error(errc::misuse,
                  "the value of the header " + field.name + " has a line end or another control character");
    add(field.name);
    add(": ");
    add(field.value);
    add("\r\n");
  }
  add("\r\n");
}

}  // namespace corolith::inline v0::s3::detail
