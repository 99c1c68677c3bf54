// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/call_stats.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/run/executor.hpp>

#include <stop_token>
#include <string>

namespace corolith {
inline namespace v0 {

/// The call that is running, for the remote function that it runs.
class call_context {
 public:
  call_context(call_id id, std::string host, std::stop_token stop)
      : id_(id), host_(std::move(host)), stop_(std::move(stop)) {}

  /// Which call this is: its batch, the index of its element, its attempt.
  const call_id& id() const noexcept { return id_; }
  /// 1 for the first execution of this call.
  std::uint32_t attempt() const noexcept { return id_.attempt; }
  /// The node's name.
  const std::string& host() const noexcept { return host_; }
  /// Set when the call is cancelled or over its timeout; a function that returns soon after keeps its worker alive.
  const std::stop_token& stop_token() const noexcept { return stop_; }
  /// Calls made with it go through this node's agent to the driver and from there to any agent. While they run, the slot of this call
  /// is free for others, so calls may nest as deep as they like, even on one slot. With isolation = thread they are made on the call's own thread.
  COROLITH_DECL corolith::executor executor() const;
  /// The store of this run, the same as the driver's executor has.
  COROLITH_DECL const corolith::store& store() const;

 private:
  call_id id_;
  std::string host_;
  std::stop_token stop_;
};

/// The running call. Throws errc::misuse outside a remote function. Threads that a remote function starts may use it as long as the
/// call lasts; with isolation = thread, where several calls run in one process, they need a copy that the call's own thread has got.
COROLITH_DECL call_context this_call();

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/this_call.ipp>
#endif
