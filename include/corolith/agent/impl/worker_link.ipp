// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/worker_link.hpp>

#include <corolith/core/log.hpp>
#include <corolith/wire/transport.hpp>

#include <asio/local/stream_protocol.hpp>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

COROLITH_DECL worker_link::worker_link(asio::io_context& io, worker_number number, worker_events& events,
                                       const worker_command& command)
    : number_(number),
      events_(events),
      process_(command),
      pid_(process_.pid()),
      output_(io, 1),
      errors_(io, 2),
      exited_(io),
      patience_(io) {
  channel_ = wire::channel::over(
      asio::local::stream_protocol::socket(io, asio::local::stream_protocol(), process_.socket.release()));
  output_.descriptor.assign(process_.output.release());
  errors_.descriptor.assign(process_.errors.release());
  exited_.assign(process_.exited.release());
}

COROLITH_DECL void worker_link::start() {
  const std::weak_ptr<worker_link> weak = weak_from_this();
  wire::channel::events handlers;
  handlers.on_message = [this](wire::message&& got) { events_.on_worker_message(*this, std::move(got)); };
  handlers.on_batch_end = [this] { events_.on_worker_batch_end(*this); };
  handlers.on_close = [weak](const std::exception_ptr&) {
    const auto self = weak.lock();
    if (!self) return;
    self->channel_gone_ = true;
    self->part_gone();
  };
  channel_->start(std::move(handlers));
  wait_exit();
  wait_pipe(output_);
  wait_pipe(errors_);
}

COROLITH_DECL void worker_link::wait_exit() {
  exited_.async_wait(
      asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](const asio::error_code& problem) {
        const auto self = weak.lock();
        if (!self || problem) return;
        self->process_gone_ = true;
        self->process_.kill_group();  // what it started itself, and what still holds the other end of the pipes
        self->part_gone();
      });
}

// The end of the process and the end of its connection come in any order, and results may be in the connection still.
COROLITH_DECL void worker_link::part_gone() {
  if (finished_) return;
  if (process_gone_ && channel_gone_) return finish();
  if (!process_gone_) return process_.kill_group();
  // A process that left the group may hold the connection open for ever.
  patience_.expires_after(std::chrono::milliseconds(500));
  patience_.async_wait([weak = weak_from_this()](const asio::error_code& problem) {
    const auto self = weak.lock();
    if (!self || problem || self->finished_) return;
    self->channel_gone_ = true;
    self->finish();
  });
}

COROLITH_DECL void worker_link::finish() {
  const auto self = shared_from_this();
  finished_ = true;
  patience_.cancel();
  drain_output();
  end_lines();
  events_.on_worker_gone(*this, process_.reap());
}

// Up to `at_most` bytes; false when there is nothing more now.
COROLITH_DECL bool worker_link::read_pipe(pipe& from, std::size_t at_most) {
  std::array<std::byte, 16384> buffer;
  while (!from.ended && at_most > 0) {
    const ssize_t got = ::read(from.descriptor.native_handle(), buffer.data(), std::min(buffer.size(), at_most));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      from.ended = true;
      return false;
    }
    const auto count = static_cast<std::size_t>(got);
    at_most -= count;
    from.lines.feed({buffer.data(), count},
                    [&](std::string&& line) { events_.on_worker_line(*this, from.stream, std::move(line)); });
    if (count < buffer.size()) return false;  // saves a system call; a wait tells of more
  }
  return !from.ended;
}

COROLITH_DECL void worker_link::wait_pipe(pipe& from) {
  if (from.waiting || from.ended || finished_ || !events_.may_read_output()) return;
  from.waiting = true;
  from.descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                             [weak = weak_from_this(), &from](const asio::error_code& problem) {
                               const auto self = weak.lock();
                               if (!self) return;
                               from.waiting = false;
                               if (problem) return;
                               if (self->events_.may_read_output()) self->read_pipe(from, 65536);
                               self->wait_pipe(from);
                             });
}

COROLITH_DECL void worker_link::drain_output() {
  constexpr std::size_t pipe_holds = 1U << 20U;
  read_pipe(errors_, pipe_holds);
  read_pipe(output_, pipe_holds);
}

COROLITH_DECL void worker_link::end_lines() {
  for (pipe* each : {&output_, &errors_})
    each->lines.end([&](std::string&& line) { events_.on_worker_line(*this, each->stream, std::move(line)); });
}

COROLITH_DECL void worker_link::resume_output() {
  wait_pipe(output_);
  wait_pipe(errors_);
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
