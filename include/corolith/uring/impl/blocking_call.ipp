// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/uring/detail/blocking_call.hpp>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

inline constexpr std::uint64_t here = ~std::uint64_t{0};  // an offset: where the descriptor stands

// A descriptor that does not block for the time of a call.
class nonblocking_scope {
 public:
  explicit nonblocking_scope(int fd) noexcept : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
    if (flags_ < 0 || (flags_ & O_NONBLOCK) != 0) {
      fd_ = -1;
    } else {
      ::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
    }
  }
  ~nonblocking_scope() {
    const int kept = errno;
    if (fd_ >= 0) ::fcntl(fd_, F_SETFL, flags_);
    errno = kept;
  }
  nonblocking_scope(const nonblocking_scope&) = delete;
  nonblocking_scope& operator=(const nonblocking_scope&) = delete;

 private:
  int fd_;
  int flags_;
};

inline ssize_t call_splice(const request& what) noexcept {
  loff_t from = static_cast<loff_t>(what.offset), to = static_cast<loff_t>(what.other_offset);
  return ::splice(what.fd, what.offset == here ? nullptr : &from, what.other_fd,
                  what.other_offset == here ? nullptr : &to, what.length, what.flags);
}

inline ssize_t call_file(const request& what) noexcept {
  const off_t offset = static_cast<off_t>(what.offset);
  const auto* vectors = static_cast<const ::iovec*>(what.data);
  const int count = static_cast<int>(what.length);
  switch (what.kind) {
    case op_kind::read:
      return what.offset == here ? ::read(what.fd, what.data, what.length)
                                 : ::pread(what.fd, what.data, what.length, offset);
    case op_kind::write:
      return what.offset == here ? ::write(what.fd, what.data, what.length)
                                 : ::pwrite(what.fd, what.data, what.length, offset);
    case op_kind::writev:
      return what.offset == here ? ::writev(what.fd, vectors, count) : ::pwritev(what.fd, vectors, count, offset);
    case op_kind::openat:
      return ::openat(what.fd, what.path, static_cast<int>(what.flags), static_cast<mode_t>(what.mode));
    case op_kind::statx:
      return ::statx(what.fd, what.path, static_cast<int>(what.flags), what.mode,
                     static_cast<struct ::statx*>(what.data));
    case op_kind::fsync: return what.flags != 0 ? ::fdatasync(what.fd) : ::fsync(what.fd);
    case op_kind::close: return ::close(what.fd);
    case op_kind::splice: return call_splice(what);
    case op_kind::renameat: return ::renameat2(what.fd, what.path, what.other_fd, what.other_path, what.flags);
    case op_kind::unlinkat: return ::unlinkat(what.fd, what.path, static_cast<int>(what.flags));
    case op_kind::mkdirat: return ::mkdirat(what.fd, what.path, static_cast<mode_t>(what.mode));
    case op_kind::shutdown: return ::shutdown(what.fd, static_cast<int>(what.flags));
    default: errno = ENOSYS; return -1;
  }
}

inline ssize_t call_socket(const request& what) noexcept {
  const int flags = static_cast<int>(what.flags) | MSG_DONTWAIT;
  switch (what.kind) {
    case op_kind::recv: return ::recv(what.fd, what.data, what.length, flags);
    case op_kind::send: return ::send(what.fd, what.data, what.length, flags);
    case op_kind::sendmsg: return ::sendmsg(what.fd, static_cast<const ::msghdr*>(what.data), flags);
    default: break;
  }
  nonblocking_scope scope(what.fd);
  switch (what.kind) {
    case op_kind::connect:
      return ::connect(what.fd, static_cast<const ::sockaddr*>(what.data), static_cast<::socklen_t>(what.length));
    case op_kind::accept: return ::accept4(what.fd, nullptr, nullptr, static_cast<int>(what.flags));
    case op_kind::splice: {
      nonblocking_scope other(what.other_fd);
      return call_splice(what);
    }
    default: return call_file(what);
  }
}

inline std::int32_t poll_now(const request& what) noexcept {
  ::pollfd asked{what.fd, static_cast<short>(what.flags), 0};
  const int count = ::poll(&asked, 1, 0);
  if (count < 0) return -errno;
  if (count == 0) return -EAGAIN;
  return (asked.revents & POLLNVAL) != 0 ? -EBADF : asked.revents;
}

COROLITH_DECL std::int32_t blocking_call(const request& what) noexcept {
  for (;;) {
    const ssize_t done = call_file(what);
    if (done >= 0) return static_cast<std::int32_t>(done);
    if (errno != EINTR || what.kind == op_kind::close) return -errno;
  }
}

COROLITH_DECL std::int32_t immediate_call(const request& what) noexcept {
  if (what.kind == op_kind::poll) return poll_now(what);
  for (;;) {
    const ssize_t done = call_socket(what);
    if (done >= 0) return static_cast<std::int32_t>(done);
    if (errno != EINTR) return -errno;
  }
}

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
