// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/uring/detail/backend.hpp>
#include <corolith/uring/detail/file_threads.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// Operations by system calls that do not block, and epoll where they would have to; those on files by threads. A file
/// operation that has begun cannot be cancelled: it runs to its end.
class poll_backend final : public backend {
 public:
  /// Throws std::system_error.
  COROLITH_DECL explicit poll_backend(const io_options& options);
  COROLITH_DECL ~poll_backend() override;

  io_backend kind() const noexcept override { return io_backend::poll; }
  void attach() override {}
  void detach() noexcept override {}
  COROLITH_DECL void submit(pending& item) noexcept override;
  COROLITH_DECL void cancel(pending& item) noexcept override;
  COROLITH_DECL void turn(bool may_wait, loop::time_point until) override;
  COROLITH_DECL void wake() noexcept override;

 private:
  struct waiting {
    pending_queue readers;
    pending_queue writers;
  };
  struct watch {
    int fd;
    bool writes;
  };

  void attempt(pending& item) noexcept;
  void finish(pending& item, std::int32_t result) noexcept;
  void end(pending& item, std::int32_t result) noexcept;
  void wait_for(pending& item, watch on) noexcept;
  bool watch_descriptor(int fd) noexcept;
  pending_queue& queue_of(watch on) noexcept;
  void ready(int fd, std::uint32_t events) noexcept;
  void retry(pending_queue& queue) noexcept;
  void start_timeout(pending& item);
  void expire() noexcept;

  unique_fd event_;
  unique_fd epoll_;
  bool precise_ = true;                            // the kernel waits by nanoseconds, not milliseconds
  int immediate_ = 0;                              // operations that ended in this turn without waiting
  std::vector<std::unique_ptr<waiting>> waiting_;  // by descriptor
  pending_queue finished_;                         // ended, to be told in the next turn
  corolith::detail::timer_heap timeouts_;
  file_threads threads_;
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/poll_backend.ipp>
#endif
