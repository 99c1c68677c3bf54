// SPDX-License-Identifier: Apache-2.0
// The frame reader: two bytes that say how the stream is cut, then the stream. However it is cut, the same messages
// come out, and the same error.
#include "../fuzz.hpp"

#include <corolith/core/error.hpp>
#include <corolith/wire/frame_format.hpp>
#include <corolith/wire/frame_reader.hpp>
#include <corolith/wire/message_type.hpp>

#include <algorithm>
#include <cstring>

using namespace corolith;

namespace {

struct reading {
  std::vector<wire::message> messages;
  std::string failure;
  bool at_boundary = false;
};

// Pieces of up to `most` bytes.
reading read(byte_span stream, std::uint64_t seed, std::size_t most, const wire::frame_limits& limits) {
  reading got;
  fuzz::generator random(seed);
  wire::frame_reader reader(limits);
  std::size_t taken = 0;
  try {
    while (!stream.empty()) {
      const mutable_byte_span room = reader.prepare();
      fuzz::require(!room.empty(), "there is always room for a byte");
      const std::size_t part = std::min({stream.size(), room.size(), 1 + random.below(most)});
      std::memcpy(room.data(), stream.data(), part);
      reader.commit(part);
      stream = stream.subspan(part);
      taken += part;
      wire::message message;
      while (reader.next(message)) got.messages.push_back(message);
      fuzz::require(reader.held_bytes() <= taken, "no more is held than came");
    }
    got.at_boundary = reader.at_boundary();
  } catch (const error& refused) {
    fuzz::require(refused.code() == errc::protocol, "what cannot be read is a protocol error");
    got.failure = refused.what();
  }
  return got;
}

void run(byte_span input) {
  const unsigned shape = fuzz::take_byte(input);
  const unsigned seed = fuzz::take_byte(input);
  // Room for what is announced is taken 16 MiB at a time; seldom here, for that is slow under a sanitizer.
  wire::frame_limits limits;
  if ((shape & 1) != 0) {
    limits = {.max_message = 4096, .max_reassembly = 6000, .max_streams = 2};
  } else if (shape < 0xf0) {
    limits = {.max_message = 100'000, .max_reassembly = 200'000, .max_streams = 8};
  }
  const std::size_t most = std::size_t{1} << (shape >> 1 & 15);
  const reading whole = read(input, 0, ~std::size_t{0}, limits);
  const reading pieces = read(input, seed, most, limits);
  fuzz::require(whole.failure == pieces.failure, "the same error, however the stream is cut");
  fuzz::require(whole.at_boundary == pieces.at_boundary, "the same end, however the stream is cut");
  fuzz::require(whole.messages.size() == pieces.messages.size(), "the same messages, however the stream is cut");
  std::size_t total = 0;
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    const wire::message &a = whole.messages[i], &b = pieces.messages[i];
    fuzz::require(a.type == b.type && fuzz::same(a.body, b.body), "the same bodies, however the stream is cut");
    total += a.body.size() + wire::frame_header_size;
  }
  fuzz::require(total <= input.size(), "no more comes out than went in");
}

void add(std::string& stream, wire::frame_header header, std::string_view payload) {
  header.length = static_cast<std::uint32_t>(payload.size());
  if (header.total == 0) header.total = payload.size();
  stream.append(reinterpret_cast<const char*>(&header), sizeof header);
  stream.append(payload);
}

std::vector<std::string> seeds() {
  using wire::message_type;
  std::string small = "\x06\x01";
  add(small, {.type = message_type::heartbeat}, "");
  add(small, {.type = message_type::call}, "0123456789abcdef and an element");
  add(small, {.type = message_type::result}, std::string(60, 'r'));

  std::string chunks = "\x04\x02";
  add(chunks, {.type = message_type::call, .flags = wire::frame_first, .stream = 1, .total = 12}, "first");
  add(chunks, {.type = message_type::result, .flags = wire::frame_first, .stream = 2, .total = 8}, "else");
  add(chunks, {.type = message_type::heartbeat}, "");
  add(chunks, {.type = message_type::call, .flags = 0, .stream = 1, .total = 12}, "then");
  add(chunks, {.type = message_type::result, .flags = wire::frame_last, .stream = 2, .total = 8}, "more");
  add(chunks, {.type = message_type::call, .flags = wire::frame_last, .stream = 1, .total = 12}, "end");

  std::string one_chunk = "\x02\x03";
  add(one_chunk, {.type = message_type::welcome, .stream = 9}, "whole");

  std::string limited = "\x07\x04";
  for (std::uint16_t stream = 1; stream <= 3; ++stream)
    add(limited, {.type = message_type::call, .flags = wire::frame_first, .stream = stream, .total = 2500}, "x");

  std::string large = "\x1e\x05";  // more than waits in the read buffer
  add(large, {.type = message_type::program_file}, std::string(17'000, 'p'));

  std::string announced = "\xf4\x06";
  add(announced, {.type = message_type::call, .flags = wire::frame_first, .stream = 1, .total = 1u << 30}, "x");
  return {small, chunks, one_chunk, limited, large, announced};
}

}  // namespace

const fuzz::target fuzz::frame_decoder{"frame_decoder", run, seeds};
