// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/uring/detail/backend.hpp>
#include <corolith/uring/detail/file_threads.hpp>

#include <liburing.h>

#include <bitset>
#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// Operations by an io_uring. What the kernel has is asked of it: flags of the ring, one by one, and operations; those
/// that it lacks are done by threads.
class ring_backend final : public backend {
 public:
  /// Throws std::system_error where io_uring is refused, or too old to wait with a time limit.
  COROLITH_DECL explicit ring_backend(const io_options& options);
  COROLITH_DECL ~ring_backend() override;

  io_backend kind() const noexcept override { return io_backend::io_uring; }
  COROLITH_DECL void attach() override;
  COROLITH_DECL void detach() noexcept override;
  COROLITH_DECL void submit(pending& item) noexcept override;
  COROLITH_DECL void cancel(pending& item) noexcept override;
  COROLITH_DECL void turn(bool may_wait, loop::time_point until) override;
  COROLITH_DECL void wake() noexcept override;

 private:
  struct owned_ring : io_uring {
    bool made = false;
    owned_ring() noexcept : io_uring() {}
    owned_ring(const owned_ring&) = delete;
    owned_ring& operator=(const owned_ring&) = delete;
    ~owned_ring() {
      if (made) io_uring_queue_exit(this);
    }
  };

  void make_ring(unsigned entries);
  void probe();
  void watch_wake() noexcept;
  bool room_for(unsigned count) noexcept;
  void queue(pending& item) noexcept;
  void queue_cancel(pending& item) noexcept;
  void feed_starved() noexcept;
  int enter(bool may_wait, loop::time_point until) noexcept;
  void reap() noexcept;
  void woken(std::int32_t result, std::uint32_t flags) noexcept;
  void ended(pending& item, std::int32_t result) noexcept;

  unique_fd event_;
  owned_ring ring_;
  std::bitset<op_kinds> supported_;
  bool disabled_ = false;      // until the thread that will run it has enabled it
  bool watch_again_ = true;    // the kernel does not poll event_
  bool multishot_ = true;      // it goes on to after an event
  pending_queue starved_;      // what found no room in the submission queue
  pending_queue uncancelled_;  // whose cancellation found none
  file_threads threads_;
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/ring_backend.ipp>
#endif
