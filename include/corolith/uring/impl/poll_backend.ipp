// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/uring/detail/blocking_call.hpp>
#include <corolith/uring/detail/poll_backend.hpp>
#include <corolith/uring/op_options.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

COROLITH_DECL poll_backend::poll_backend(const io_options& options)
    : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      threads_(options.file_threads, *this) {
  ::epoll_event about{};
  about.events = EPOLLIN | EPOLLET;  // never read: each write is an event of its own
  about.data.fd = -1;
  if (!event_ || !epoll_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &about) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll");
}

COROLITH_DECL poll_backend::~poll_backend() = default;

COROLITH_DECL void poll_backend::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

// Whether epoll has nothing to say of a descriptor, as it is always ready, and what is done with it may block.
inline bool is_file(int fd) noexcept {
  struct ::stat about = {};
  return ::fstat(fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) || S_ISDIR(about.st_mode));
}

inline bool for_threads(const request& what) noexcept {
  switch (what.kind) {
    case op_kind::openat:
    case op_kind::statx:
    case op_kind::fsync:
    case op_kind::close:
    case op_kind::renameat:
    case op_kind::unlinkat:
    case op_kind::mkdirat: return true;
    case op_kind::read:
    case op_kind::write:
    case op_kind::writev: return is_file(what.fd);
    default: return false;
  }
}

COROLITH_DECL void poll_backend::submit(pending& item) noexcept {
  try {
    start_timeout(item);
  } catch (const std::bad_alloc&) {
    end(item, -ENOMEM);
    return;
  }
  if (!for_threads(item.what)) {
    attempt(item);
  } else if (!threads_.submit(item)) {
    finish(item, -EAGAIN);
  }
}

// Where it would wait: for which descriptor, and to read or to write?
inline void poll_backend::attempt(pending& item) noexcept {
  const request& what = item.what;
  const std::int32_t result = immediate_call(what);
  if (result == -EINPROGRESS && what.kind == op_kind::connect) {
    wait_for(item, {what.fd, true});
  } else if (result != -EAGAIN || what.kind == op_kind::connect) {
    finish(item, result);
  } else if (what.kind == op_kind::splice) {
    ::pollfd from{what.fd, POLLIN, 0};
    const bool readable = is_file(what.fd) || ::poll(&from, 1, 0) > 0;
    wait_for(item, readable ? watch{what.other_fd, true} : watch{what.fd, false});
  } else if (what.kind == op_kind::poll) {
    wait_for(item, {what.fd, (what.flags & POLLIN) == 0});
  } else {
    const bool reads = what.kind == op_kind::recv || what.kind == op_kind::accept || what.kind == op_kind::read;
    wait_for(item, {what.fd, !reads});
  }
}

// Without a limit somebody whose peer is always ready would keep all others from their turn.
inline void poll_backend::finish(pending& item, std::int32_t result) noexcept {
  constexpr int limit = 32;
  if (++immediate_ <= limit) {
    end(item, result);
    return;
  }
  item.where = pending::place::finished;
  item.outcome = result;
  finished_.append(item);
}

inline void poll_backend::end(pending& item, std::int32_t result) noexcept {
  if (item.alarm.owner != nullptr) timeouts_.remove(item.alarm);
  item.alarm.owner = nullptr;
  item.ended(result);
}

inline pending_queue& poll_backend::queue_of(watch on) noexcept {
  waiting& of_descriptor = *waiting_[static_cast<std::size_t>(on.fd)];
  return on.writes ? of_descriptor.writers : of_descriptor.readers;
}

inline void poll_backend::wait_for(pending& item, watch on) noexcept {
  const auto index = static_cast<std::size_t>(on.fd);
  try {
    if (index >= waiting_.size()) waiting_.resize(index + 1);
    if (waiting_[index] == nullptr) waiting_[index] = std::make_unique<waiting>();
  } catch (const std::bad_alloc&) {
    end(item, -ENOMEM);
    return;
  }
  queue_of(on).append(item);
  item.where = on.writes ? pending::place::writers : pending::place::readers;
  item.waits_on = on.fd;
  if (watch_descriptor(on.fd)) return;
  const int failure = errno;
  queue_of(on).remove(item);
  finish(item, -failure);
}

// Asked anew each time: the descriptor may have been closed and be another one since.
inline bool poll_backend::watch_descriptor(int fd) noexcept {
  const waiting& of_descriptor = *waiting_[static_cast<std::size_t>(fd)];
  ::epoll_event about{};
  about.events = EPOLLONESHOT;
  if (!of_descriptor.readers.empty()) about.events |= EPOLLIN | EPOLLRDHUP;
  if (!of_descriptor.writers.empty()) about.events |= EPOLLOUT;
  about.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &about) == 0) return true;
  if (errno != ENOENT) return false;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &about) == 0;
}

inline void poll_backend::ready(int fd, std::uint32_t events) noexcept {
  waiting& of_descriptor = *waiting_[static_cast<std::size_t>(fd)];
  constexpr std::uint32_t always = EPOLLERR | EPOLLHUP;
  if ((events & (EPOLLIN | EPOLLRDHUP | always)) != 0) retry(of_descriptor.readers);
  if ((events & (EPOLLOUT | always)) != 0) retry(of_descriptor.writers);
  if (!of_descriptor.readers.empty() || !of_descriptor.writers.empty()) watch_descriptor(fd);
}

inline void poll_backend::retry(pending_queue& queue) noexcept {
  pending_queue again;
  while (!queue.empty()) again.append(queue.take());
  while (!again.empty()) {
    pending& item = again.take();
    item.where = pending::place::kernel;
    if (item.what.kind != op_kind::connect) {
      attempt(item);
      continue;
    }
    int failure = 0;
    ::socklen_t size = sizeof failure;
    if (::getsockopt(item.what.fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
    finish(item, -failure);
  }
}

inline void poll_backend::start_timeout(pending& item) {
  if (item.timeout == no_timeout) return;
  item.alarm.when = corolith::detail::deadline_after(item.timeout);
  item.alarm.owner = &item;
  timeouts_.push(item.alarm);
}

inline void poll_backend::expire() noexcept {
  if (timeouts_.empty()) return;
  for (loop::work* due = timeouts_.take_due(loop::clock::now()); due != nullptr;) {
    loop::work* next = due->next;
    pending& item = *std::exchange(static_cast<pending::expiry*>(due)->owner, nullptr);
    cancel(item);
    due = next;
  }
}

COROLITH_DECL void poll_backend::cancel(pending& item) noexcept {
  switch (item.where) {
    case pending::place::queue:
      if (threads_.withdraw(item)) end(item, -ECANCELED);
      break;
    case pending::place::readers:
    case pending::place::writers:
      queue_of({item.waits_on, item.where == pending::place::writers}).remove(item);
      end(item, -ECANCELED);
      break;
    default: break;  // it ends soon
  }
}

inline int poll_events(int epoll, ::epoll_event* events, int most, loop::time_point until, bool& precise) {
  int count = -1;
  const auto left = until == loop::time_point::min()
                        ? std::chrono::nanoseconds(0)
                        : std::max(std::chrono::nanoseconds(until - loop::clock::now()), std::chrono::nanoseconds(0));
  const bool for_ever = until == loop::time_point::max();
  if (precise) {
    ::timespec limit{};
    limit.tv_sec = static_cast<::time_t>(left.count() / 1'000'000'000);
    limit.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
    count = ::epoll_pwait2(epoll, events, most, for_ever ? nullptr : &limit, nullptr);
    if (count < 0 && errno == ENOSYS) precise = false;
  }
  if (!precise) {
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    count =
        ::epoll_wait(epoll, events, most, for_ever ? -1 : static_cast<int>(std::min<long>(milliseconds, 3'600'000)));
  }
  if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_wait");
  return count;
}

COROLITH_DECL void poll_backend::turn(bool may_wait, loop::time_point until) {
  std::array<::epoll_event, 64> events;
  if (!timeouts_.empty()) until = std::min(until, timeouts_.earliest());
  if (!may_wait || !finished_.empty()) until = loop::time_point::min();
  immediate_ = 0;
  const int count = poll_events(epoll_.get(), events.data(), static_cast<int>(events.size()), until, precise_);
  for (int i = 0; i < count; ++i) {
    const ::epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd >= 0) ready(event.data.fd, event.events);
  }
  pending_queue finished_now;
  while (!finished_.empty()) finished_now.append(finished_.take());
  while (!finished_now.empty()) {
    pending& item = finished_now.take();
    end(item, item.outcome);
  }
  for (pending* item = threads_.take_done(); item != nullptr;) {
    pending* next = item->behind;
    end(*item, item->outcome);
    item = next;
  }
  expire();
}

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
