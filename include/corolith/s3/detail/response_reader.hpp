// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/detail/http_message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace corolith::inline v0::s3::detail {

/// The way of a response without its socket: bytes go in, the head and the body come out. One reader serves the
/// responses of one connection, one after the other. What the server must not send throws transport_error with
/// errc::protocol, an end at the wrong place one with errc::unreachable. Not thread-safe.
class response_reader {
 public:
  /// The longest head, with all its lines. The body of a response that is not chunked has no limit.
  static constexpr std::size_t longest_head = 64 * 1024;

  COROLITH_DECL response_reader();
  COROLITH_DECL ~response_reader();
  response_reader(const response_reader&) = delete;
  response_reader& operator=(const response_reader&) = delete;

  /// A request was sent: its response comes next. `head_only` for one to HEAD, whose lengths count for nothing.
  COROLITH_DECL void expect(bool head_only);

  /// Where the next bytes may be received to, at least one byte of room. To be called again after each other member.
  COROLITH_DECL mutable_byte_span room();
  /// So many bytes were put at the beginning of `room()`.
  COROLITH_DECL void received(std::size_t count);
  /// The server will send no more.
  COROLITH_DECL void ended();

  /// Takes a head if it is there, also one of 1xx, which others follow. True: `into` is complete.
  COROLITH_DECL bool take_head(http_response& into);

  /// Takes what is there of the body. Zero: more must be received first, or the body has ended.
  COROLITH_DECL std::size_t take_body(mutable_byte_span into);
  /// How many bytes of the body may be received past `room`, straight to where they belong, because nothing is left in
  /// here and the length is known; `bypassed` then says how many were.
  COROLITH_DECL std::uint64_t may_bypass() const noexcept;
  COROLITH_DECL void bypassed(std::size_t count);

  /// So many bytes of the body are still to come, or more where that is not known.
  COROLITH_DECL std::uint64_t least_left() const noexcept;

  /// The whole response is taken.
  bool complete() const noexcept { return state_ == state::complete; }
  /// Nothing stands in the way of another request: the response is complete, and nothing came behind it.
  COROLITH_DECL bool reusable() const noexcept;
  /// The end of the connection is the end of the body.
  bool ends_with_connection() const noexcept { return state_ == state::to_end; }
  /// At least one byte of this response has come.
  bool began() const noexcept { return began_; }
  /// Of the body, so far.
  std::uint64_t body_taken() const noexcept { return taken_; }

 private:
  enum class state : std::uint8_t { head, sized, chunked, to_end, complete, failed };
  struct parser;

  byte_span buffered() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }
  std::size_t take_sized(mutable_byte_span into);
  std::size_t take_chunked(mutable_byte_span into);
  std::size_t take_to_end(mutable_byte_span into);
  void finish();

  byte_buffer buffer_;
  std::size_t begin_ = 0;  // of what was received and not taken
  std::size_t end_ = 0;
  std::unique_ptr<parser> parser_;
  state state_ = state::complete;
  bool keep_alive_ = false;
  bool began_ = false;
  bool ended_ = false;
  std::size_t head_size_ = 0;
  std::uint64_t left_ = 0;  // of a body whose length is known
  std::uint64_t taken_ = 0;
};

/// The head of a request as it is sent. Throws errc::misuse for what would be read as something else there, above all for
/// line ends in a value.
COROLITH_DECL void append_head(byte_buffer& to, const http_request& head);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/response_reader.ipp>
#endif
