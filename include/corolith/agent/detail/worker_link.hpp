// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/dispatch.hpp>
#include <corolith/agent/detail/output_lines.hpp>
#include <corolith/agent/detail/worker_process.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/channel.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

class worker_link;

/// What a worker_link tells its session. All from the loop.
class worker_events {
 public:
  virtual ~worker_events() = default;
  virtual void on_worker_message(worker_link& from, wire::message&& got) = 0;
  virtual void on_worker_batch_end(worker_link& from) = 0;
  virtual void on_worker_line(worker_link& from, std::uint8_t stream, std::string&& line) = 0;
  /// Last: the process is gone and all that it sent and wrote has been delivered. May destroy the link.
  virtual void on_worker_gone(worker_link& from, exit_state how) = 0;
  /// False while output has to wait because the driver does not keep up.
  virtual bool may_read_output() = 0;
};

/// The agent's side of one worker: process, connection, output.
class worker_link : public std::enable_shared_from_this<worker_link> {
 public:
  COROLITH_DECL worker_link(asio::io_context& io, worker_number number, worker_events& events,
                            const worker_command& command);
  COROLITH_DECL void start();

  worker_number number() const noexcept { return number_; }
  pid_t pid() const noexcept { return pid_; }
  wire::channel& channel() noexcept { return *channel_; }
  worker_process& process() noexcept { return process_; }

  /// Delivers the lines that are in the pipes now; without backpressure, so for moments that ask for it.
  COROLITH_DECL void drain_output();
  /// Hands out unfinished lines too: the call that wrote them has ended.
  COROLITH_DECL void end_lines();
  /// Reads on after `may_read_output` was false.
  COROLITH_DECL void resume_output();

  // The session's notes.
  line_tail tail;
  std::uint64_t turn = 0;  // counts reads from the connection
  bool drained_this_turn = false;
  bool needs_flush = false;
  bool nested = false;             // it sent nested calls
  std::uint64_t memory_limit = 0;  // 0: not watched
  std::uint64_t memory_before = 0;

 private:
  struct pipe {
    pipe(asio::io_context& io, std::uint8_t stream_number) : descriptor(io), stream(stream_number) {}
    asio::posix::stream_descriptor descriptor;
    std::uint8_t stream;
    line_splitter lines;
    bool waiting = false;
    bool ended = false;
  };
  COROLITH_DECL bool read_pipe(pipe& from, std::size_t at_most);
  COROLITH_DECL void wait_pipe(pipe& from);
  COROLITH_DECL void wait_exit();
  COROLITH_DECL void part_gone();
  COROLITH_DECL void finish();

  worker_number number_;
  worker_events& events_;
  worker_process process_;
  pid_t pid_;
  std::shared_ptr<wire::channel> channel_;
  pipe output_, errors_;
  asio::posix::stream_descriptor exited_;
  asio::steady_timer patience_;
  bool process_gone_ = false;
  bool channel_gone_ = false;
  bool finished_ = false;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/worker_link.ipp>
#endif
