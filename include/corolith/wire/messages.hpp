// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/aggregate.hpp>
#include <corolith/codec/archive.hpp>
#include <corolith/codec/function.hpp>
#include <corolith/core/bytes.hpp>
#include <corolith/core/call_stats.hpp>
#include <corolith/wire/message_type.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// What drivers, agents and workers say to each other. Every message is either a struct below, packed by the codec, or a
/// fixed head (`call_id`, `result_head`) followed by raw bytes that are relayed without a look inside.
namespace corolith::inline v0::wire {

static_assert(std::endian::native == std::endian::little,
              "the wire format is little-endian; add byte swaps for this machine");

using sha256_bytes = std::array<std::uint8_t, 32>;

/// How a call ended.
enum class outcome_kind : std::uint8_t {
  value,             ///< the rest of the body is the encoded result
  exception,         ///< the function threw; from here on the rest of the body is a packed `failure`
  timeout,           ///< it ran longer than its limit and was stopped
  memory,            ///< it used more memory than its limit
  worker_lost,       ///< the process that ran it died
  cancelled,         ///< somebody asked for its end
  unknown_function,  ///< the worker's program does not have the function
  codec,             ///< its arguments could not be decoded or its result not encoded
};

/// The first bytes of a `result` body.
struct result_head {
  call_id id;
  std::int32_t pid = 0;
  outcome_kind kind = outcome_kind::value;
  std::uint8_t pad[3] = {};
  std::int64_t started_ns = 0;  ///< system_clock on the node that ran it, when the function was entered
  std::int64_t ended_ns = 0;    ///< system_clock there when it returned or threw
};
static_assert(sizeof(call_id) == 16 && std::is_trivially_copyable_v<call_id>);
static_assert(sizeof(result_head) == 40 && std::is_trivially_copyable_v<result_head>);

/// Why a call has no value; follows a `result_head` whose kind is not `value`.
struct failure {
  std::string type_name;  ///< demangled type of the exception
  std::string what;
  std::string host;
  std::string stderr_tail;  ///< last lines of the worker's standard error
  std::int32_t signal = 0;  ///< the signal that killed the worker, or 0
  std::int32_t exit_status = 0;
};

/// agent -> driver, first message: what the node offers.
struct agent_hello {
  static constexpr message_type type = message_type::agent_hello;
  std::string host;
  std::int32_t pid = 0;
  std::uint32_t cpus = 0;
  std::uint32_t gpus = 0;
  std::uint64_t memory = 0;  ///< bytes
  std::string launch_tag;    ///< what the launcher gave the agent to be recognised by
};

/// One file of the program: the executable or a shared library of its own.
struct module_file {
  std::string path;  ///< where the driver has it
  std::string name;  ///< its file name, as the loader looks for it
  sha256_bytes sha256{};
  std::uint64_t size = 0;
  bool executable = false;
};

/// driver -> agent, the answer to agent_hello: which program to run and how.
struct welcome {
  static constexpr message_type type = message_type::welcome;
  std::string session;
  std::vector<module_file> modules;
  std::string working_directory;
  std::vector<std::string> environment;  ///< "NAME=value"
  std::int64_t heartbeat_ms = 0;
  std::int64_t silence_ms = 0;
  std::int64_t grace_ms = 0;  ///< between the stop request and SIGKILL
  bool threads = false;       ///< slots are threads of one worker process, where that is possible
};

/// agent -> driver: send me that file; the answer is a `program_file` whose body is the hash and the raw bytes.
struct program_request {
  static constexpr message_type type = message_type::program_request;
  sha256_bytes sha256{};
};

/// agent -> driver: workers can be started, calls may come.
struct agent_ready {
  static constexpr message_type type = message_type::agent_ready;
};

/// agent -> driver: the node cannot run the program.
struct agent_failed {
  static constexpr message_type type = message_type::agent_failed;
  std::string reason;
};

/// agent -> worker, first message.
struct worker_setup {
  static constexpr message_type type = message_type::worker_setup;
  std::string host;
  std::string working_directory;
  std::uint64_t memory_limit = 0;  ///< bytes, 0 for none
  std::uint32_t slot = 0;
  std::int64_t grace_ms = 0;
  std::uint32_t workers = 1;            ///< that share the node's memory
  std::vector<std::int32_t> cpus = {};  ///< for the thread that gets this to run on; empty: as it is
};

/// worker -> agent: up and ready for calls.
struct worker_hello {
  static constexpr message_type type = message_type::worker_hello;
  std::int32_t pid = 0;
};

/// What the calls of a batch may use.
struct call_limits {
  std::int64_t timeout_ns = 0;  ///< 0 for none
  std::uint64_t memory = 0;     ///< bytes, 0 for none
  std::uint32_t cpus = 1;
  std::uint32_t gpus = 0;
  std::uint32_t chunk = 0;  ///< calls handed to a worker at once; 0 lets the library decide
  std::vector<std::string> environment;
};

/// driver -> agent -> worker: calls of this batch run that function, with these shared arguments.
struct batch_open {
  static constexpr message_type type = message_type::batch_open;
  std::uint64_t batch = 0;
  codec::function_key function{};
  call_limits limits;
  shared_bytes shared;  ///< last, so that it can be sent from where it is: see pack_front
};

/// The batch is over; what was kept for it may go.
struct batch_close {
  static constexpr message_type type = message_type::batch_close;
  std::uint64_t batch = 0;
};

/// One line that a call wrote to its standard output (stream 1) or standard error (stream 2).
struct output_line {
  static constexpr message_type type = message_type::output;
  call_id id;
  std::int32_t pid = 0;
  std::uint8_t stream = 1;
  std::string text;
};

/// A packed message, ready to be sent as a body.
template <class Message>
shared_bytes pack(const Message& message) {
  if constexpr (std::is_empty_v<Message>) {
    return {};
  } else {
    byte_buffer buffer;
    codec::encode(buffer, message);
    return buffer.release();
  }
}

/// A packed batch_open without the shared arguments, which follow it as they are: what a large value costs to pack.
inline shared_bytes pack_front(const batch_open& message) {
  byte_buffer buffer;
  codec::encode(buffer, message.batch, message.function, message.limits);
  codec::output_archive(buffer).write_length(message.shared.size());
  return buffer.release();
}

/// The message in `body`; throws codec_error when it is not one, or has bytes to spare.
template <class Message>
Message unpack(byte_span body) {
  if constexpr (std::is_empty_v<Message>) {
    if (!body.empty()) throw codec_error("a message without content came with bytes");
    return {};
  } else {
    return codec::decode_all<Message>(body);
  }
}

/// The fixed head (`call_id`, `result_head`, an integer) at the start of `body`; throws codec_error when it is too short.
template <class Head>
  requires std::is_trivially_copyable_v<Head>
Head read_head(byte_span body) {
  if (body.size() < sizeof(Head)) throw codec_error("a message is shorter than its fixed head");
  Head head;
  std::memcpy(&head, body.data(), sizeof(Head));
  return head;
}

/// What follows the fixed head, without a copy.
template <class Head>
shared_bytes after_head(shared_bytes body) {
  return std::move(body).slice(sizeof(Head));
}

}  // namespace corolith::inline v0::wire
