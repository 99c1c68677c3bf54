// SPDX-License-Identifier: Apache-2.0
// The frame reader: two bytes that say how the stream is cut, then the stream. However it is cut, the same messages
// come out, and the same error; and they are what a plain reading of the format says.
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

// The format as it is written down, without a thought of speed.
struct plain_message {
  wire::message_type type{};
  std::uint16_t stream = 0;
  std::uint64_t total = 0;
  std::string body;
};
struct plain_reading {
  std::vector<plain_message> messages, under_way;
  bool refused = false;
};

bool allowed(const wire::frame_header& h, const plain_message* known, const plain_reading& so_far,
             const wire::frame_limits& limits) {
  const auto type = static_cast<unsigned>(h.type);
  if (type == 0 || type > static_cast<unsigned>(wire::last_message_type)) return false;
  if (h.length > wire::chunk_size || h.total > limits.max_message || h.flags > 3) return false;
  const bool first = (h.flags & wire::frame_first) != 0, last = (h.flags & wire::frame_last) != 0;
  if (h.stream == 0) return first && last && h.total == h.length;
  if (h.length == 0 || first != (known == nullptr)) return false;
  if (known != nullptr && (known->type != h.type || known->total != h.total)) return false;
  const std::uint64_t after = h.length + (known == nullptr ? 0 : known->body.size());
  if (after > h.total || last != (after == h.total)) return false;
  if (known != nullptr) return true;
  std::uint64_t announced = h.total;
  for (const plain_message& other : so_far.under_way) announced += other.total;
  return so_far.under_way.size() < limits.max_streams && announced <= limits.max_reassembly;
}

plain_reading read_plainly(byte_span stream, const wire::frame_limits& limits) {
  plain_reading got;
  while (stream.size() >= wire::frame_header_size) {
    wire::frame_header h;
    std::memcpy(&h, stream.data(), sizeof h);
    auto known = std::ranges::find(got.under_way, h.stream, &plain_message::stream);
    got.refused = !allowed(h, known == got.under_way.end() ? nullptr : &*known, got, limits);
    if (got.refused || stream.size() < sizeof h + h.length) break;
    const std::string payload = fuzz::text_of(stream.subspan(sizeof h, h.length));
    stream = stream.subspan(sizeof h + h.length);
    if (known == got.under_way.end()) known = got.under_way.insert(known, {h.type, h.stream, h.total, {}});
    known->body += payload;
    if ((h.flags & wire::frame_last) == 0) continue;
    got.messages.push_back(*known);
    got.under_way.erase(known);
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
  const plain_reading plain = read_plainly(input, limits);
  fuzz::require(plain.refused == !whole.failure.empty(), "what the format allows is read, and nothing else");
  fuzz::require(plain.messages.size() == whole.messages.size(), "the messages are those that the format says");
  std::size_t total = 0;
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    const wire::message &a = whole.messages[i], &b = pieces.messages[i];
    fuzz::require(a.type == b.type && fuzz::same(a.body, b.body), "the same bodies, however the stream is cut");
    fuzz::require(a.type == plain.messages[i].type && fuzz::text_of(a.body) == plain.messages[i].body,
                  "the bodies are those that the format says");
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

  std::string one_after_the_other = "\x07\x07", too_much = "\x07\x08", overlong = "\x06\x09";
  for (std::uint16_t stream = 1; stream <= 2; ++stream) {
    add(one_after_the_other, {.type = message_type::call, .flags = 3, .stream = stream, .total = 3100},
        std::string(3100, 'c'));
    add(too_much, {.type = message_type::call, .flags = wire::frame_first, .stream = stream, .total = 3100}, "x");
  }
  add(overlong, {.type = message_type::call, .flags = wire::frame_first, .stream = 1, .total = 6}, "most");
  add(overlong, {.type = message_type::call, .flags = 0, .stream = 1, .total = 6}, "more");
  return {small, chunks, one_chunk, limited, large, announced, one_after_the_other, too_much, overlong};
}

}  // namespace

const fuzz::target fuzz::frame_decoder{"frame_decoder", run, seeds};
