// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/call_stats.hpp>
#include <corolith/core/version.hpp>
#include <corolith/wire/message_type.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace corolith {
inline namespace v0 {
namespace agent {

/// The call that a slot of this worker process runs now.
struct current_call {
  call_id id;
  std::string host;      ///< the node's name
  std::stop_token stop;  ///< requested when the call is cancelled or over its timeout
};

/// The way from a slot of a worker to its agent, for calls made inside calls. All functions are thread-safe and throw
/// error(errc::peer_closed) when the agent is gone (the process then ends soon anyway) or the slot has been given up.
class uplink : public std::enable_shared_from_this<uplink> {
 public:
  using handler = std::function<void(wire::message_type inner, shared_bytes body)>;

  virtual ~uplink() = default;
  /// Sends `inner` with the body `head` + `tail` to the driver, at once.
  virtual void send_up(wire::message_type inner, byte_span head, shared_bytes tail = {}) = 0;
  /// Gets what the driver answers to any slot of this process, on threads that must not be held up, for each slot one message at a
  /// time. Replaces the one before.
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
/// What a thread that runs calls knows of its slot.
struct slot_context {
  uplink* up = nullptr;
  current_call* call = nullptr;  ///< nullptr between calls
};

inline value_courier courier;
inline std::atomic<bool> is_worker{false};
inline slot_context* only_slot = nullptr;  // of a process with one: all its threads are that slot's
inline constinit thread_local slot_context* thread_slot = nullptr;  // of this thread, where slots are threads
inline std::atomic<void (*)(const call_id& id) noexcept> call_ended{nullptr};

inline slot_context* this_slot() noexcept { return thread_slot != nullptr ? thread_slot : only_slot; }
}  // namespace detail

/// Whether this process is a worker.
inline bool in_worker() noexcept { return detail::is_worker.load(std::memory_order_relaxed); }
/// The call that runs in this worker; where slots are threads, on this thread. nullptr outside a call. Changes under the feet of
/// threads that outlive their call.
inline current_call* current() noexcept {
  const detail::slot_context* slot = detail::this_slot();
  return slot != nullptr ? slot->call : nullptr;
}
/// nullptr in a process that is no worker and, where slots are threads, on a thread that is none.
inline uplink* worker_uplink() noexcept {
  const detail::slot_context* slot = detail::this_slot();
  return slot != nullptr ? slot->up : nullptr;
}
/// To be called before the first call comes.
inline void set_value_courier(value_courier courier) noexcept { detail::courier = courier; }
/// `hook` is called after every call of this worker, on the thread that ran it, before its result is sent.
inline void on_call_end(void (*hook)(const call_id& id) noexcept) noexcept { detail::call_ended = hook; }

}  // namespace agent
}  // namespace v0
}  // namespace corolith
