// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/worker_link.hpp>

#include <corolith/agent/detail/slot_mail.hpp>
#include <corolith/core/log.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline constexpr std::size_t most_slots_under_way = 32;
inline constexpr std::chrono::milliseconds last_words_wait{500};  // for connections of a process that is gone
inline constexpr std::chrono::seconds process_end_wait{2};        // for a process without slots

COROLITH_DECL worker_host::worker_host(asio::io_context& io, worker_events& events, const worker_command& command)
    : io_(io),
      events_(events),
      threads_(command.page < 0),
      process_(command),
      pid_(process_.pid()),
      output_(io, 1),
      errors_(io, 2),
      exited_(io),
      patience_(io) {
  output_.descriptor.assign(process_.output.release());
  errors_.descriptor.assign(process_.errors.release());
  exited_.assign(process_.exited.release());
}

COROLITH_DECL void worker_host::start() {
  wait_exit();
  wait_pipe(output_);
  wait_pipe(errors_);
}

COROLITH_DECL void worker_host::kill() noexcept {
  killed_ = true;
  process_.kill_group();
}

// --- slots ------------------------------------------------------------------------------------------------------------

COROLITH_DECL void worker_host::add(worker_link& slot) {
  if (threads_) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot make a socket pair for a slot of a worker");
    parcel made{unique_fd(pair[1]), slot.page_.take_fd()};
    slot.connect(io_, shared_from_this(), unique_fd(pair[0]));
    to_send_.push_back(std::move(made));
  } else {
    slot.page_.take_fd();
    slot.connect(io_, shared_from_this(), std::move(process_.socket));
  }
  slots_.push_back(&slot);
  send_slots();
}

COROLITH_DECL void worker_host::slot_is_up() {
  if (under_way_ > 0) --under_way_;
  send_slots();
}

// A few at a time: what is under way counts as open here, and fits into the socket.
COROLITH_DECL void worker_host::send_slots() {
  while (!to_send_.empty() && under_way_ < most_slots_under_way) {
    const parcel& next = to_send_.front();
    const int problem = slot_mail::send(process_.socket.get(), next.connection.get(), next.page.get());
    if (problem != 0) {
      if (under_way_ > 0) return;  // tried again when one is up
      log::error("agent: a worker process takes no slot: " + std::generic_category().message(problem));
      process_.kill_group();
      to_send_.clear();
      return;
    }
    ++under_way_;
    to_send_.pop_front();
  }
}

COROLITH_DECL void worker_host::connection_gone(worker_link& slot) {
  if (finished_) return;
  if (process_gone_) return finish_when_all_is_gone();
  if (!threads_ || !slot.asked_to_end_) return process_.kill_group();
  if (slots_.size() == 1) return end_process();
  const auto self = shared_from_this();
  std::erase(slots_, &slot);
  events_.on_worker_gone(slot, {0, 0, std::nullopt, true});
  events_.on_workers_gone();
}

// The last slot has ended; it is gone when the process is.
COROLITH_DECL void worker_host::end_process() {
  ending_ = true;
  const unique_fd closed = std::move(process_.socket);
  patience_.expires_after(process_end_wait);
  patience_.async_wait([weak = weak_from_this()](const asio::error_code& problem) {
    const auto self = weak.lock();
    if (self && !problem) self->process_.kill_group();
  });
}

// --- the end ----------------------------------------------------------------------------------------------------------

COROLITH_DECL void worker_host::wait_exit() {
  exited_.async_wait(
      asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](const asio::error_code& problem) {
        const auto self = weak.lock();
        if (!self || problem) return;
        self->process_gone_ = true;
        self->process_.kill_group();  // what it started itself, and what still holds the other end of the pipes
        self->to_send_.clear();
        self->finish_when_all_is_gone();
      });
}

// The end of the process and the ends of its connections come in any order, and results may be in a connection still.
COROLITH_DECL void worker_host::finish_when_all_is_gone() {
  if (finished_) return;
  if (std::all_of(slots_.begin(), slots_.end(), [](const worker_link* each) { return each->channel_gone_; }))
    return finish();
  // A process that left the group may hold a connection open for ever.
  patience_.expires_after(last_words_wait);
  patience_.async_wait([weak = weak_from_this()](const asio::error_code& problem) {
    const auto self = weak.lock();
    if (self && !problem && !self->finished_) self->finish();
  });
}

COROLITH_DECL void worker_host::finish() {
  const auto self = shared_from_this();
  finished_ = true;
  patience_.cancel();
  drain_output();
  end_lines();
  const exit_state how = process_.reap();
  std::vector<std::pair<worker_link*, worker_death>> gone;
  for (worker_link* each : slots_)
    gone.emplace_back(each, worker_death{how.signal, how.exit_status, each->page_.page().read(), false});
  if (threads_) blame(gone);
  slots_.clear();
  for (const auto& [slot, death] : gone) events_.on_worker_gone(*slot, death);
  events_.on_workers_gone();
}

// Of a process with several slots those are to blame that said so when they crashed; when none did (it was killed from outside, or by
// _exit), all that ran a call. For a process that the agent killed nobody is: what was to be stopped is known without that.
COROLITH_DECL void worker_host::blame(std::vector<std::pair<worker_link*, worker_death>>& gone) const {
  const bool crashed =
      std::any_of(gone.begin(), gone.end(), [](const auto& each) { return each.first->page_.page().has_crashed(); });
  const bool ran =
      std::any_of(gone.begin(), gone.end(), [](const auto& each) { return each.second.running.has_value(); });
  for (auto& [slot, death] : gone) {
    const bool to_blame = crashed ? slot->page_.page().has_crashed() : death.running || !ran;
    death.bystander = killed_ || !to_blame;
    if (death.bystander) death.running.reset();
  }
}

// --- output -----------------------------------------------------------------------------------------------------------

// Up to `at_most` bytes; false when there is nothing more now.
COROLITH_DECL bool worker_host::read_pipe(pipe& from, std::size_t at_most) {
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

COROLITH_DECL void worker_host::wait_pipe(pipe& from) {
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

COROLITH_DECL void worker_host::drain_output() {
  constexpr std::size_t pipe_holds = 1U << 20U;
  read_pipe(errors_, pipe_holds);
  read_pipe(output_, pipe_holds);
}

COROLITH_DECL void worker_host::end_lines() {
  for (pipe* each : {&output_, &errors_})
    each->lines.end([&](std::string&& line) { events_.on_worker_line(*this, each->stream, std::move(line)); });
}

COROLITH_DECL void worker_host::resume_output() {
  wait_pipe(output_);
  wait_pipe(errors_);
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
