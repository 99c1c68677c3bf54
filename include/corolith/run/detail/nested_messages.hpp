// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/wire/messages.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace corolith {
inline namespace v0 {
namespace detail {

// What a nested executor in a worker and the driver say to each other, inside `nested_up` and `nested_down`. The agent relays it
// unread. The first byte is a wire::message_type:
//
//   up    batch_open    packed nested_open
//         call          nested_elements, then count x u64 ends, then the bytes
//         batch_close   u64 batch: no more elements
//         cancel        call_id; index = every_index: the whole batch
//         returned      nested_count: results that were consumed
//         goodbye       u64 batch: its caller has ended, and nobody wants to hear of it any more
//   down  started       nested_count: elements that are wanted
//         result        nested_result, then the host's name, then the payload
//         batch_close   u64 batch: no more results
//         agent_failed  u64 batch, then text: the batch was abandoned

inline constexpr std::uint32_t every_index = 0xffffffff;

struct nested_open {
  std::uint64_t batch = 0;
  codec::function_key function{};
  shared_bytes shared;
  wire::call_limits limits;
  std::uint32_t retries = 0;
  bool lazy = false;
};

struct nested_elements {
  std::uint64_t batch;
  std::uint32_t first;
  std::uint32_t count;
};

struct nested_count {
  std::uint64_t batch;
  std::uint32_t count;
  std::uint32_t pad;
};

struct nested_result {
  wire::result_head head;
  std::int64_t submitted_ns, sent_ns, received_ns;
  std::uint64_t host_size;
};

inline shared_bytes pack_elements(std::uint64_t batch, const element_block& block) {
  byte_buffer buffer;
  buffer.share_when_large();
  buffer.reserve(sizeof(nested_elements) + block.ends.size() * 8 + block.bytes.size());
  buffer.append_value(nested_elements{batch, block.first, block.count()});
  buffer.append(std::as_bytes(std::span(block.ends)));
  buffer.append(block.bytes);
  return buffer.release();
}

/// Throws codec_error when the ends do not fit the bytes.
inline element_block unpack_elements(const shared_bytes& body) {
  const auto head = wire::read_head<nested_elements>(body);
  shared_bytes rest = wire::after_head<nested_elements>(body);
  const std::size_t ends_size = std::size_t{head.count} * 8;
  if (rest.size() < ends_size) throw codec_error("a block of elements is shorter than its index");
  element_block block;
  block.first = head.first;
  block.ends.resize(head.count);
  if (ends_size != 0) std::memcpy(block.ends.data(), rest.data(), ends_size);
  block.bytes = rest.slice(ends_size);
  std::uint64_t last = 0;
  for (std::uint64_t end : block.ends) {
    if (end < last || end > block.bytes.size()) throw codec_error("a block of elements has a broken index");
    last = end;
  }
  return block;
}

inline shared_bytes pack_outcome(const call_outcome& outcome) {
  const std::string host = outcome.host ? *outcome.host : std::string();
  byte_buffer buffer;
  buffer.share_when_large();
  buffer.reserve(sizeof(nested_result) + host.size() + outcome.payload.size());
  buffer.append_value(
      nested_result{outcome.head, outcome.submitted_ns, outcome.sent_ns, outcome.received_ns, host.size()});
  buffer.append(std::as_bytes(std::span(host)));
  buffer.append(outcome.payload);
  return buffer.release();
}

inline call_outcome unpack_outcome(const shared_bytes& body) {
  const auto head = wire::read_head<nested_result>(body);
  const shared_bytes rest = wire::after_head<nested_result>(body);
  if (head.host_size > rest.size()) throw codec_error("a nested result is shorter than its host's name");
  call_outcome outcome;
  outcome.head = head.head;
  outcome.submitted_ns = head.submitted_ns;
  outcome.sent_ns = head.sent_ns;
  outcome.received_ns = head.received_ns;
  outcome.host = std::make_shared<const std::string>(reinterpret_cast<const char*>(rest.data()), head.host_size);
  outcome.payload = rest.slice(head.host_size);
  return outcome;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
