// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/call_stats.hpp>
#include <corolith/core/version.hpp>
#include <corolith/wire/message_type.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace corolith {
inline namespace v0 {
namespace agent {

/// The call that this worker process runs now.
struct current_call {
  call_id id;
  std::string host;      ///< the node's name
  std::stop_token stop;  ///< requested when the call is cancelled or over its timeout
};

/// The way from a worker to its agent, for calls made inside calls. All functions are thread-safe and throw
/// error(errc::peer_closed) when the agent is gone (the process then ends soon anyway).
class uplink {
 public:
  using handler = std::function<void(wire::message_type inner, shared_bytes body)>;

  virtual ~uplink() = default;
  /// Sends `inner` with the body `head` + `tail` to the driver, at once.
  virtual void send_up(wire::message_type inner, byte_span head, shared_bytes tail = {}) = 0;
  /// Gets what the driver answers, one message at a time, on a thread that must not be held up. Replaces the one before.
  virtual void set_handler(handler on_message) = 0;
  /// The call only waits from now on: its slot may be given to another. And: it goes on.
  virtual void blocked(const call_id& id) = 0;
  virtual void unblocked(const call_id& id) = 0;
};

/// Lets large values go another way than the connection, which then carries something short that stands for them. Called on the thread that
/// runs the calls.
struct value_courier {
  /// What `arrived` stands for; nothing when it stands for itself. Throws when it cannot be had: the call fails with that.
  std::optional<shared_bytes> (*fetch)(byte_span arrived) = nullptr;
  /// May replace the encoded result, all of `result` from `begin` on, by what stands for it.
  void (*send)(byte_buffer& result, std::size_t begin) = nullptr;
};

namespace detail {
inline value_courier courier;
inline current_call* running_call = nullptr;
inline uplink* process_uplink = nullptr;
inline void (*call_ended)(const call_id& id) noexcept = nullptr;
}  // namespace detail

/// Whether this process is a worker.
inline bool in_worker() noexcept { return detail::process_uplink != nullptr; }
/// The call that runs in this worker; nullptr outside a call. Changes under the feet of threads that outlive their call.
inline current_call* current() noexcept { return detail::running_call; }
/// nullptr in a process that is no worker.
inline uplink* worker_uplink() noexcept { return detail::process_uplink; }
/// To be called before the first call comes.
inline void set_value_courier(value_courier courier) noexcept { detail::courier = courier; }
/// `hook` is called after every call of this worker, before its result is sent.
inline void on_call_end(void (*hook)(const call_id& id) noexcept) noexcept { detail::call_ended = hook; }

}  // namespace agent
}  // namespace v0
}  // namespace corolith
