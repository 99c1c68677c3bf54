// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/dispatch.hpp>
#include <corolith/agent/detail/slot_page.hpp>
#include <corolith/agent/detail/worker_host.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/channel.hpp>

#include <asio/io_context.hpp>

#include <cstdint>
#include <memory>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// The agent's side of one slot of a worker: its connection. To the dispatcher this is a worker.
class worker_link : public std::enable_shared_from_this<worker_link> {
 public:
  /// Throws std::system_error when there is no memory to share with it.
  worker_link(worker_number number, worker_events& events) : number_(number), events_(events) {}
  worker_link(const worker_link&) = delete;
  worker_link& operator=(const worker_link&) = delete;
  COROLITH_DECL ~worker_link();

  worker_number number() const noexcept { return number_; }
  worker_host& host() noexcept { return *host_; }
  const worker_host& host() const noexcept { return *host_; }
  pid_t pid() const noexcept { return host_->pid(); }
  wire::channel& channel() noexcept { return *channel_; }
  slot_page& page() noexcept { return page_; }
  const slot_page& page() const noexcept { return page_; }

  /// It is idle: asks it to end.
  COROLITH_DECL void ask_to_end();
  bool asked_to_end() const noexcept { return asked_to_end_; }

  // The session's notes.
  std::uint64_t turn = 0;  // counts reads from the connection
  bool drained_this_turn = false;
  bool needs_flush = false;
  bool nested = false;             // it sent nested calls
  std::uint64_t memory_limit = 0;  // 0: not watched
  std::uint64_t memory_before = 0;

 private:
  friend class worker_host;
  COROLITH_DECL void connect(asio::io_context& io, std::shared_ptr<worker_host> host, unique_fd socket);

  const worker_number number_;
  worker_events& events_;
  slot_page page_;
  std::shared_ptr<worker_host> host_;
  std::shared_ptr<wire::channel> channel_;
  bool asked_to_end_ = false;
  bool channel_gone_ = false;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/worker_link.ipp>
#endif
