// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/dispatch.hpp>
#include <corolith/agent/detail/output_lines.hpp>
#include <corolith/agent/detail/slot_page.hpp>
#include <corolith/agent/detail/worker_process.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/message_type.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

class worker_host;
class worker_link;

/// What the workers of a session tell it. All from the loop.
class worker_events {
 public:
  virtual ~worker_events() = default;
  virtual void on_worker_message(worker_link& from, wire::message&& got) = 0;
  virtual void on_worker_batch_end(worker_link& from) = 0;
  virtual void on_worker_line(worker_host& from, std::uint8_t stream, std::string&& line) = 0;
  /// Last: the slot is gone and all that it sent has been delivered; what its process wrote, too, if that is gone. May destroy the link.
  virtual void on_worker_gone(worker_link& from, const worker_death& how) = 0;
  /// After one or several of these.
  virtual void on_workers_gone() = 0;
  /// False while output has to wait because the driver does not keep up.
  virtual bool may_read_output() = 0;
};

/// The agent's side of a worker process: its life, its output, and its slots, of which there is one unless slots are threads. It lives as
/// long as one of its slots; its end kills the process.
class worker_host : public std::enable_shared_from_this<worker_host> {
 public:
  /// Starts the process. Throws like worker_process.
  COROLITH_DECL worker_host(asio::io_context& io, worker_events& events, const worker_command& command);
  COROLITH_DECL void start();

  /// Gives the process a slot, and the slot its connection. Throws std::system_error.
  COROLITH_DECL void add(worker_link& slot);
  /// Slots are threads, and the process has not begun to end.
  bool takes_slots() const noexcept { return threads_ && !ending_ && !process_gone_; }
  bool threads() const noexcept { return threads_; }
  const std::vector<worker_link*>& slots() const noexcept { return slots_; }
  pid_t pid() const noexcept { return pid_; }

  /// With all that it started, at once. No call is to blame for it.
  COROLITH_DECL void kill() noexcept;

  /// Delivers the lines that are in the pipes now; without backpressure, so for moments that ask for it.
  COROLITH_DECL void drain_output();
  /// Hands out unfinished lines too: the call that wrote them has ended.
  COROLITH_DECL void end_lines();
  /// Reads on after `may_read_output` was false.
  COROLITH_DECL void resume_output();

  line_tail tail;  // the session's notes

 private:
  friend class worker_link;
  struct pipe {
    pipe(asio::io_context& io, std::uint8_t stream_number) : descriptor(io), stream(stream_number) {}
    asio::posix::stream_descriptor descriptor;
    std::uint8_t stream;
    line_splitter lines;
    bool waiting = false;
    bool ended = false;
  };
  struct parcel {
    unique_fd connection, page;
  };
  COROLITH_DECL bool read_pipe(pipe& from, std::size_t at_most);
  COROLITH_DECL void wait_pipe(pipe& from);
  COROLITH_DECL void wait_exit();
  COROLITH_DECL void slot_is_up();
  COROLITH_DECL void send_slots();
  COROLITH_DECL void connection_gone(worker_link& slot);
  COROLITH_DECL void end_process();
  COROLITH_DECL void finish_when_all_is_gone();
  COROLITH_DECL void finish();
  COROLITH_DECL void blame(std::vector<std::pair<worker_link*, worker_death>>& gone) const;

  asio::io_context& io_;
  worker_events& events_;
  const bool threads_;
  worker_process process_;
  pid_t pid_;
  std::vector<worker_link*> slots_;
  std::deque<parcel> to_send_;
  std::size_t under_way_ = 0;  // slots that were sent and have not said hello
  pipe output_, errors_;
  asio::posix::stream_descriptor exited_;
  asio::steady_timer patience_;
  bool process_gone_ = false;
  bool ending_ = false;
  bool killed_ = false;
  bool finished_ = false;
};

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
#include <corolith/agent/impl/worker_host.ipp>
#include <corolith/agent/impl/worker_link.ipp>
#endif
