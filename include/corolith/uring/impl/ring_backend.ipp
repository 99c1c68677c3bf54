// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/uring/detail/ring_backend.hpp>
#include <corolith/uring/op_options.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

// What a completion belongs to: an operation by its address, or one of these.
inline constexpr std::uint64_t nobody = 0, wake_event = 1;

[[noreturn]] inline void throw_errno(int code, const char* what) {
  throw std::system_error(code, std::generic_category(), what);
}

COROLITH_DECL ring_backend::ring_backend(const io_options& options)
    : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), threads_(options.file_threads, *this) {
  if (!event_) throw_errno(errno, "eventfd");
  make_ring(std::max(options.entries, 4U));
  probe();
}

COROLITH_DECL ring_backend::~ring_backend() = default;

// Disabled at first: the one thread that may submit to a ring is the one that enables it.
inline void ring_backend::make_ring(unsigned entries) {
  constexpr unsigned always = IORING_SETUP_CLAMP;
  constexpr unsigned deferred = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
  constexpr std::array<unsigned, 4> tries{
      always | deferred | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED,
      always | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
      always | IORING_SETUP_SUBMIT_ALL,
      always,
  };
  int failure = -EINVAL;
  for (unsigned flags : tries) {
    io_uring_params params{};
    params.flags = flags;
    failure = io_uring_queue_init_params(entries, &ring_, &params);
    if (failure == 0) {
      ring_.made = true;
      disabled_ = (flags & IORING_SETUP_R_DISABLED) != 0;
      break;
    }
    if (failure != -EINVAL) break;
  }
  if (failure != 0) throw_errno(-failure, "io_uring_setup");
  constexpr unsigned needed =
      IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_FAST_POLL;
  if ((ring_.features & needed) != needed) throw_errno(EOPNOTSUPP, "this kernel's io_uring lacks features");
}

inline int opcode_of(op_kind kind) noexcept {
  switch (kind) {
    case op_kind::poll: return IORING_OP_POLL_ADD;
    case op_kind::recv: return IORING_OP_RECV;
    case op_kind::send: return IORING_OP_SEND;
    case op_kind::sendmsg: return IORING_OP_SENDMSG;
    case op_kind::connect: return IORING_OP_CONNECT;
    case op_kind::accept: return IORING_OP_ACCEPT;
    case op_kind::shutdown: return IORING_OP_SHUTDOWN;
    case op_kind::read: return IORING_OP_READ;
    case op_kind::write: return IORING_OP_WRITE;
    case op_kind::writev: return IORING_OP_WRITEV;
    case op_kind::openat: return IORING_OP_OPENAT;
    case op_kind::statx: return IORING_OP_STATX;
    case op_kind::fsync: return IORING_OP_FSYNC;
    case op_kind::close: return IORING_OP_CLOSE;
    case op_kind::splice: return IORING_OP_SPLICE;
    case op_kind::renameat: return IORING_OP_RENAMEAT;
    case op_kind::unlinkat: return IORING_OP_UNLINKAT;
    case op_kind::mkdirat: return IORING_OP_MKDIRAT;
  }
  return IORING_OP_NOP;
}

inline void ring_backend::probe() {
  const std::unique_ptr<io_uring_probe, void (*)(io_uring_probe*)> known(io_uring_get_probe_ring(&ring_),
                                                                         io_uring_free_probe);
  if (known == nullptr) throw_errno(EOPNOTSUPP, "this kernel's io_uring does not say what it can do");
  for (std::size_t kind = 0; kind < op_kinds; ++kind)
    supported_[kind] = io_uring_opcode_supported(known.get(), opcode_of(static_cast<op_kind>(kind))) != 0;
  const auto has = [&](int opcode) { return io_uring_opcode_supported(known.get(), opcode) != 0; };
  // Threads cannot do these, as they may have to wait for a peer.
  for (int opcode : {IORING_OP_POLL_ADD, IORING_OP_RECV, IORING_OP_SEND, IORING_OP_SENDMSG, IORING_OP_CONNECT,
                     IORING_OP_ACCEPT, IORING_OP_READ, IORING_OP_WRITE, IORING_OP_WRITEV, IORING_OP_SPLICE,
                     IORING_OP_ASYNC_CANCEL, IORING_OP_LINK_TIMEOUT})
    if (!has(opcode)) throw_errno(EOPNOTSUPP, "this kernel's io_uring lacks operations");
}

// The registered descriptor is an index in a table of the thread, so it is given back before another may end the ring.
COROLITH_DECL void ring_backend::attach() {
  if (disabled_) {
    // As io_uring_enable_rings, which some releases of liburing declare and do not have.
    if (::syscall(SYS_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) < 0)
      throw_errno(errno, "io_uring_register");
    disabled_ = false;
  }
  io_uring_register_ring_fd(&ring_);
}
COROLITH_DECL void ring_backend::detach() noexcept { io_uring_unregister_ring_fd(&ring_); }

COROLITH_DECL void ring_backend::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

// Never read: each write is an event of its own. A kernel that polls but once needs the count back at zero.
inline void ring_backend::watch_wake() noexcept {
  if (!room_for(1)) return;
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (multishot_) {
    io_uring_prep_poll_multishot(entry, event_.get(), POLLIN);
  } else {
    io_uring_prep_poll_add(entry, event_.get(), POLLIN);
  }
  io_uring_sqe_set_data64(entry, wake_event);
  watch_again_ = false;
}

inline void ring_backend::woken(std::int32_t result, std::uint32_t flags) noexcept {
  if (result < 0 && result != -ECANCELED) multishot_ = false;
  if (multishot_ && (flags & IORING_CQE_F_MORE) != 0) return;
  watch_again_ = true;
  std::uint64_t count = 0;
  if (!multishot_) {
    [[maybe_unused]] const auto taken = ::read(event_.get(), &count, sizeof count);
  }
}

inline bool ring_backend::room_for(unsigned count) noexcept {
  if (io_uring_sq_space_left(&ring_) >= count) return true;
  io_uring_submit(&ring_);
  return io_uring_sq_space_left(&ring_) >= count;
}

inline void prepare_path(io_uring_sqe* entry, const request& what) noexcept {
  switch (what.kind) {
    case op_kind::openat:
      io_uring_prep_openat(entry, what.fd, what.path, static_cast<int>(what.flags), static_cast<mode_t>(what.mode));
      break;
    case op_kind::statx:
      io_uring_prep_statx(entry, what.fd, what.path, static_cast<int>(what.flags), what.mode,
                          static_cast<struct ::statx*>(what.data));
      break;
    case op_kind::renameat:
      io_uring_prep_renameat(entry, what.fd, what.path, what.other_fd, what.other_path, what.flags);
      break;
    case op_kind::unlinkat: io_uring_prep_unlinkat(entry, what.fd, what.path, static_cast<int>(what.flags)); break;
    case op_kind::mkdirat: io_uring_prep_mkdirat(entry, what.fd, what.path, static_cast<mode_t>(what.mode)); break;
    default: io_uring_prep_nop(entry); break;
  }
}

inline void prepare(io_uring_sqe* entry, const request& what) noexcept {
  const int flags = static_cast<int>(what.flags);
  const auto length = static_cast<unsigned>(what.length);
  switch (what.kind) {
    case op_kind::poll: io_uring_prep_poll_add(entry, what.fd, what.flags); break;
    case op_kind::recv: io_uring_prep_recv(entry, what.fd, what.data, what.length, flags); break;
    case op_kind::send: io_uring_prep_send(entry, what.fd, what.data, what.length, flags); break;
    case op_kind::sendmsg:
      io_uring_prep_sendmsg(entry, what.fd, static_cast<const ::msghdr*>(what.data), what.flags);
      break;
    case op_kind::connect:
      io_uring_prep_connect(entry, what.fd, static_cast<const ::sockaddr*>(what.data), length);
      break;
    case op_kind::accept: io_uring_prep_accept(entry, what.fd, nullptr, nullptr, flags); break;
    case op_kind::shutdown: io_uring_prep_shutdown(entry, what.fd, flags); break;
    case op_kind::read: io_uring_prep_read(entry, what.fd, what.data, length, what.offset); break;
    case op_kind::write: io_uring_prep_write(entry, what.fd, what.data, length, what.offset); break;
    case op_kind::writev:
      io_uring_prep_writev(entry, what.fd, static_cast<const ::iovec*>(what.data), length, what.offset);
      break;
    case op_kind::fsync: io_uring_prep_fsync(entry, what.fd, flags != 0 ? IORING_FSYNC_DATASYNC : 0U); break;
    case op_kind::close: io_uring_prep_close(entry, what.fd); break;
    case op_kind::splice:
      io_uring_prep_splice(entry, what.fd, static_cast<std::int64_t>(what.offset), what.other_fd,
                           static_cast<std::int64_t>(what.other_offset), length, what.flags);
      break;
    default: prepare_path(entry, what); break;
  }
}

COROLITH_DECL void ring_backend::submit(pending& item) noexcept {
  if (!supported_[static_cast<std::size_t>(item.what.kind)]) {
    if (!threads_.submit(item)) ended(item, -EAGAIN);
  } else if (!starved_.empty() || !room_for(item.timeout == no_timeout ? 1 : 2)) {
    item.where = pending::place::starved;
    starved_.append(item);
  } else {
    queue(item);
  }
}

inline void ring_backend::queue(pending& item) noexcept {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (item.polling) {
    const op_kind kind = item.what.kind;
    const bool reads = kind == op_kind::recv || kind == op_kind::accept || kind == op_kind::read;
    io_uring_prep_poll_add(entry, item.what.fd, reads ? POLLIN : POLLOUT);
  } else {
    prepare(entry, item.what);
  }
  io_uring_sqe_set_data(entry, &item);
  item.where = pending::place::kernel;
  if (item.timeout == no_timeout) return;
  entry->flags = static_cast<std::uint8_t>(entry->flags | IOSQE_IO_LINK);
  const auto limit = std::max(item.timeout, std::chrono::nanoseconds(0));
  static_assert(sizeof item.expires_in == sizeof(__kernel_timespec));
  item.expires_in[0] = limit.count() / 1'000'000'000;
  item.expires_in[1] = limit.count() % 1'000'000'000;
  entry = io_uring_get_sqe(&ring_);
  io_uring_prep_link_timeout(entry, reinterpret_cast<__kernel_timespec*>(item.expires_in), 0);
  io_uring_sqe_set_data64(entry, nobody);
}

inline void ring_backend::feed_starved() noexcept {
  if (watch_again_) watch_wake();
  while (!uncancelled_.empty() && room_for(1)) queue_cancel(uncancelled_.take());
  while (!starved_.empty() && room_for(2)) queue(starved_.take());
}

COROLITH_DECL void ring_backend::cancel(pending& item) noexcept {
  if (item.where == pending::place::queue) {
    if (threads_.withdraw(item)) ended(item, -ECANCELED);
  } else if (item.where == pending::place::starved) {
    starved_.remove(item);
    item.ended(-ECANCELED);
  } else if (room_for(1)) {
    queue_cancel(item);
  } else {
    item.where = pending::place::uncancelled;
    uncancelled_.append(item);
  }
}

inline void ring_backend::queue_cancel(pending& item) noexcept {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  io_uring_prep_cancel(entry, &item, 0);
  io_uring_sqe_set_data64(entry, nobody);
  item.where = pending::place::kernel;
}

inline int ring_backend::enter(bool may_wait, loop::time_point until) noexcept {
  if (may_wait && io_uring_cq_ready(&ring_) == 0) {
    io_uring_cqe* first = nullptr;
    if (until == loop::time_point::max()) return io_uring_submit_and_wait_timeout(&ring_, &first, 1, nullptr, nullptr);
    const auto left = std::max(std::chrono::nanoseconds(until - loop::clock::now()), std::chrono::nanoseconds(0));
    __kernel_timespec limit{};
    limit.tv_sec = left.count() / 1'000'000'000;
    limit.tv_nsec = left.count() % 1'000'000'000;
    return io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
  }
  if (io_uring_sq_ready(&ring_) > 0) return io_uring_submit_and_get_events(&ring_);
  constexpr unsigned events = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
  if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & events) != 0) return io_uring_get_events(&ring_);
  return 0;
}

COROLITH_DECL void ring_backend::turn(bool may_wait, loop::time_point until) {
  feed_starved();
  const int entered = enter(may_wait, until);
  switch (entered < 0 ? -entered : 0) {
    case 0:
    case ETIME:
    case EINTR:
    case EAGAIN:
    case EBUSY: break;
    default: throw_errno(-entered, "io_uring_enter");
  }
  reap();
  for (pending* item = threads_.take_done(); item != nullptr;) {
    pending* next = item->behind;
    item->ended(item->outcome);
    item = next;
  }
}

inline void ring_backend::reap() noexcept {
  unsigned head = 0, count = 0;
  io_uring_cqe* entry = nullptr;
  io_uring_for_each_cqe(&ring_, head, entry) {
    ++count;
    if (entry->user_data == wake_event) {
      woken(entry->res, entry->flags);
    } else if (entry->user_data != nobody) {
      ended(*static_cast<pending*>(io_uring_cqe_get_data(entry)), entry->res);
    }
  }
  io_uring_cq_advance(&ring_, count);
}

// A descriptor in non-blocking mode gives -EAGAIN where another would wait. What is interrupted in a thread of the kernel
// may end with codes that system calls never show: ERESTARTSYS to ERESTART_RESTARTBLOCK.
inline void ring_backend::ended(pending& item, std::int32_t result) noexcept {
  if (result <= -512 && result >= -516) result = -EINTR;
  if (item.where == pending::place::uncancelled) uncancelled_.remove(item);
  const bool was_polling = std::exchange(item.polling, false);
  const op_kind kind = item.what.kind;
  const bool waits = kind == op_kind::recv || kind == op_kind::send || kind == op_kind::sendmsg ||
                     kind == op_kind::accept || kind == op_kind::read || kind == op_kind::write ||
                     kind == op_kind::writev;
  if (!item.cancelling && was_polling && result >= 0) {
    submit(item);
  } else if (!item.cancelling && waits && result == -EAGAIN && !was_polling) {
    item.polling = true;
    submit(item);
  } else if (was_polling && result >= 0) {
    item.ended(-ECANCELED);
  } else {
    item.ended(result);
  }
}

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
