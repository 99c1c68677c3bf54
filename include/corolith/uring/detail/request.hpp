// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

enum class op_kind : std::uint8_t {
  poll,      // wait until `fd` is ready for `flags`
  recv,      // `data`, `length`, `flags`
  send,      // `data`, `length`, `flags`
  sendmsg,   // `data` is a msghdr
  connect,   // `data` is a sockaddr of `length` bytes
  accept,    // `flags`
  shutdown,  // `flags` says which direction
  read,      // `data`, `length`, `offset`
  write,     // `data`, `length`, `offset`
  writev,    // `data` is an array of `length` iovecs; `offset`
  openat,    // `fd` is the folder; `path`, `flags`, `mode`
  statx,     // `fd` is the folder; `path`, `flags`, `mode` is the mask, `data` is a struct statx
  fsync,     // `flags` is 1 for data only
  close,
  splice,    // from `fd` at `offset` to `other_fd` at `other_offset`; `length`, `flags`
  renameat,  // `fd`, `path`, `other_fd`, `other_path`, `flags`
  unlinkat,  // `fd`, `path`, `flags`
  mkdirat,   // `fd`, `path`, `mode`
};
inline constexpr std::size_t op_kinds = 18;

/// An operation as data: each backend has its own way to carry it out.
struct request {
  op_kind kind{};
  int fd = -1;
  int other_fd = -1;
  void* data = nullptr;
  std::size_t length = 0;
  std::uint64_t offset = 0;
  std::uint64_t other_offset = 0;
  const char* path = nullptr;
  const char* other_path = nullptr;
  std::uint32_t flags = 0;
  std::uint32_t mode = 0;
};

/// A request on its way. It lives in the awaiter; once submitted, the backend calls `ended` exactly once, on the thread
/// of the loop and never inside `cancel` or `submit` of another one; it may be gone then.
struct pending {
  request what;
  std::chrono::nanoseconds timeout = std::chrono::nanoseconds::max();
  bool cancelling = false;  ///< the backend was asked to cancel it

  pending* previous = nullptr;  ///< in the loop's list of what is under way
  pending* next = nullptr;

  // For the backend alone.
  struct expiry : loop::timer {
    pending* owner = nullptr;
  };
  enum class place : std::uint8_t { kernel, starved, uncancelled, readers, writers, finished, queue, thread };
  place where = place::kernel;
  bool polling = false;      ///< the kernel was asked when `fd` is ready, not for the operation itself
  std::int32_t outcome = 0;  ///< of an operation that has ended without anybody knowing yet
  int waits_on = -1;         ///< the descriptor that has to become ready
  pending* behind = nullptr;
  long long expires_in[2] = {};  ///< the kernel's form of `timeout`: seconds, nanoseconds
  expiry alarm;

  /// `result` as a system call's: -errno where it failed.
  virtual void ended(std::int32_t result) noexcept = 0;

 protected:
  pending() = default;
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;
  ~pending() = default;
};

/// Items linked by `behind`, the oldest first. An item is in one such queue at a time.
class pending_queue {
 public:
  pending_queue() = default;
  pending_queue(const pending_queue&) = delete;
  pending_queue& operator=(const pending_queue&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }
  void append(pending& item) noexcept {
    item.behind = nullptr;
    *end_ = &item;
    end_ = &item.behind;
  }
  /// Not to be called on an empty queue.
  pending& take() noexcept {
    pending& item = *first_;
    first_ = item.behind;
    if (first_ == nullptr) end_ = &first_;
    return item;
  }
  bool remove(pending& item) noexcept {
    for (pending** at = &first_; *at != nullptr; at = &(*at)->behind) {
      if (*at != &item) continue;
      *at = item.behind;
      if (end_ == &item.behind) end_ = at;
      return true;
    }
    return false;
  }

 private:
  pending* first_ = nullptr;
  pending** end_ = &first_;
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
