// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {

/// What went wrong, for code that decides on it. Each value has one exception class or the plain `error`.
enum class errc {
  remote_exception = 1,  ///< the remote function threw: `remote_error`
  worker_lost,           ///< the process that ran the call died: `worker_lost`
  call_timeout,          ///< the call ran longer than its timeout: `call_timeout`
  memory_exceeded,       ///< the call used more memory than its limit: `memory_exceeded`
  cancelled,             ///< somebody cancelled the call or stopped the awaiting task: `cancelled`
  launch_failed,         ///< no agent could be started: `launch_failed`
  cannot_fit,            ///< no agent is large enough for what the call asks for
  unknown_function,      ///< the worker's program does not have the function: another version of it runs there
  codec,                 ///< bytes that cannot be decoded, or a value that cannot be encoded
  protocol,              ///< a peer sent what the protocol does not allow
  refused,               ///< a handshake was refused: wrong secret, version, program or role
  peer_silent,           ///< nothing was heard from a peer for longer than the silence limit
  peer_closed,           ///< a connection ended
  config,                ///< a flag, an environment variable or a configuration file is wrong
  broken_promise,        ///< a promise was destroyed without a value
  closed,                ///< the executor is closed or closing
  misuse,                ///< the library was used in a way that cannot work; the text says what to do
  storage,               ///< an object store answered with an error that has no value of its own here
  not_found,             ///< an object, a bucket or an upload that is not there
  already_exists,        ///< an object or a bucket that is there already
  precondition_failed,   ///< a condition that the caller made does not hold, or what was read has changed meanwhile
  access_denied,         ///< an object store does not let us: rights, credentials or a wrong clock
  unreachable,           ///< no answer from a server, or half of one
  corrupted,             ///< data that is not what was sent: a checksum or a length differs
};

/// Base of every exception that corolith throws. Its text says what happened and, where there is one, what to do.
class error : public std::runtime_error {
 public:
  error(errc code, const std::string& what) : std::runtime_error(what), code_(code) {}
  errc code() const noexcept { return code_; }

 private:
  errc code_;
};

/// Where a call ran when it failed.
struct call_origin {
  std::string host;           ///< the node's name; empty when the call had not started
  std::int32_t pid = 0;       ///< the worker's process id there
  std::uint64_t batch = 0;    ///< id of the batch (or of the single call)
  std::uint32_t index = 0;    ///< index of the element in its batch
  std::uint32_t attempt = 0;  ///< 1 for the first execution
  std::string stderr_tail;    ///< the last lines that the worker wrote to its standard error
};

/// A call that ended without a value. `origin()` says where.
class call_error : public error {
 public:
  call_error(errc code, const std::string& what, call_origin origin) : error(code, what), origin_(std::move(origin)) {}
  const call_origin& origin() const noexcept { return origin_; }

 private:
  call_origin origin_;
};

/// The remote function threw. `what()` holds its text and its origin; `message()` its text alone.
class remote_error : public call_error {
 public:
  remote_error(std::string type_name, std::string message, const std::string& full_text, call_origin origin)
      : call_error(errc::remote_exception, full_text, std::move(origin)),
        type_name_(std::move(type_name)),
        message_(std::move(message)) {}
  /// The demangled type of what was thrown, for example "std::out_of_range" or "my::error".
  const std::string& type_name() const noexcept { return type_name_; }
  /// What the thrown object's `what()` said; empty when it was no std::exception.
  const std::string& message() const noexcept { return message_; }

 private:
  std::string type_name_;
  std::string message_;
};

/// The worker that ran the call died (a signal, an abort, an exit), as often as the library was willing to try.
class worker_lost : public call_error {
 public:
  worker_lost(const std::string& what, call_origin origin) : call_error(errc::worker_lost, what, std::move(origin)) {}
};

/// The call ran longer than its timeout on every attempt that it was given.
class call_timeout : public call_error {
 public:
  call_timeout(const std::string& what, call_origin origin) : call_error(errc::call_timeout, what, std::move(origin)) {}
};

/// The call used more memory than its limit.
class memory_exceeded : public call_error {
 public:
  memory_exceeded(const std::string& what, call_origin origin)
      : call_error(errc::memory_exceeded, what, std::move(origin)) {}
};

/// The call, or the task that awaited it, was cancelled.
class cancelled : public call_error {
 public:
  explicit cancelled(const std::string& what = "cancelled", call_origin origin = {})
      : call_error(errc::cancelled, what, std::move(origin)) {}
};

/// No agent could be started or reached. The text ends with the tail of its log.
class launch_failed : public error {
 public:
  explicit launch_failed(const std::string& what) : error(errc::launch_failed, what) {}
};

/// Bytes that are not what they should be: truncated, oversized, of another type.
class codec_error : public error {
 public:
  explicit codec_error(const std::string& what) : error(errc::codec, what) {}
};

/// A wrong flag, environment variable or configuration value. The text names the source and the key.
class config_error : public error {
 public:
  explicit config_error(const std::string& what) : error(errc::config, what) {}
};

}  // namespace v0
}  // namespace corolith
