// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>

#include <cstdint>

namespace corolith::inline v0::wire {

/// What a message is. The number travels; a new type goes to the end and raises `protocol_version`.
enum class message_type : std::uint8_t {
  heartbeat = 1,    ///< empty; handled by the channel, never delivered
  goodbye,          ///< the sender closes on purpose: the end of the connection after it is no loss
  agent_hello,      ///< agent -> driver
  welcome,          ///< driver -> agent
  program_request,  ///< agent -> driver
  program_file,     ///< driver -> agent: 32 bytes SHA-256, then the file; no bytes after the hash: refused
  agent_ready,      ///< agent -> driver
  agent_failed,     ///< agent -> driver
  worker_setup,     ///< agent -> worker
  worker_hello,     ///< worker -> agent
  batch_open,       ///< driver -> agent -> worker
  batch_close,      ///< driver -> agent -> worker
  call,             ///< call_id, then the encoded element
  cancel,           ///< call_id
  recall,           ///< call_id: give it back unless it has started
  shutdown,         ///< finish and exit
  result,           ///< result_head, then the encoded value or a packed failure
  returned,         ///< call_id: it was not started and will not be
  started,          ///< call_id
  output,           ///< output_line
  blocked,          ///< call_id: it waits for nested calls, its slot is free
  unblocked,        ///< call_id
  nested_up,        ///< worker -> agent: u8 inner type, inner body; agent -> driver: u64 worker number before that
  nested_down,      ///< the way back, in the same form
  nested_gone,      ///< u64 worker number: that worker's nested calls have nobody to answer to
  // Pools: <corolith/wire/pool_messages.hpp>
  pool_resident,     ///< resident -> head
  pool_lease,        ///< head -> resident
  pool_lease_end,    ///< head -> resident
  pool_lease_ended,  ///< resident -> head
  pool_ending,       ///< resident -> head
  pool_join,         ///< driver -> head
  pool_demand,       ///< driver -> head
  pool_refused,      ///< driver -> head
  pool_drain,        ///< head -> driver
  pool_news,         ///< head -> driver
  pool_ask,          ///< command line -> head
  pool_answer,       ///< head -> command line
};
inline constexpr message_type last_message_type = message_type::pool_answer;

/// One message as it arrived. The body is often a slice of the connection's read buffer and keeps 256 KiB alive: copy the
/// few bytes that must live long.
struct message {
  message_type type = message_type::heartbeat;
  shared_bytes body;
};

}  // namespace corolith::inline v0::wire
