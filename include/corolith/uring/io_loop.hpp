// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/uring/io_options.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

class backend;
class operation;
struct pending;

}  // namespace detail

/// A loop whose thread waits in the kernel for the operations of this folder: recv, send, read, ... What becomes ready in
/// one turn is submitted by one system call, which also waits for the next completions. It belongs to the thread that
/// first calls `run`, for good. Members may be called from any thread, `run` apart.
///
/// It must outlive the tasks and operations on it, which `close` brings to their end: io_thread does all of that.
class io_loop final : public loop {
 public:
  /// Throws config_error for a COROLITH_IO that is not "auto", "io_uring" or "poll", and std::system_error where the
  /// kernel refuses the backend. `automatic` takes poll where io_uring is refused, with one warning in the log.
  COROLITH_DECL explicit io_loop(io_options options = {});
  /// Operations that are still under way are cancelled, and those who wait for them and are at home here never resume;
  /// timers never run.
  COROLITH_DECL ~io_loop() override;

  COROLITH_DECL void post(work& item) noexcept override;
  COROLITH_DECL void post_at(time_point when, timer& item) override;
  COROLITH_DECL bool cancel(timer& item) noexcept override;
  COROLITH_DECL void work_started() noexcept override;
  COROLITH_DECL void work_finished() noexcept override;

  /// Runs work and completions until `stop`, or after `close` until the last task that was started here and the last
  /// operation have ended. Throws errc::misuse on another thread than the first time, std::system_error when the kernel
  /// refuses to go on.
  COROLITH_DECL void run();
  /// Makes `run` return after the piece of work that it is running; a stop that came before is used up by the next `run`.
  COROLITH_DECL void stop() noexcept;
  /// From now on operations under way are cancelled and new ones end at once, both in `cancelled`, and timers run at
  /// once, so that all that lives here comes to its end.
  COROLITH_DECL void close() noexcept;

  /// What it runs on: io_uring or poll.
  COROLITH_DECL io_backend backend() const noexcept;

 private:
  friend class detail::operation;

  // For operations, on the loop's thread.
  COROLITH_DECL bool is_current() const noexcept;
  COROLITH_DECL bool is_owner() noexcept;
  COROLITH_DECL bool closing() const noexcept;
  bool dying() const noexcept { return dying_; }
  COROLITH_DECL void submit(detail::pending& item) noexcept;
  COROLITH_DECL void resubmit(detail::pending& item) noexcept;
  COROLITH_DECL void forget(detail::pending& item) noexcept;
  COROLITH_DECL void cancel_operation(detail::pending& item) noexcept;
  COROLITH_DECL bool withdraw(work& item) noexcept;
  COROLITH_DECL void turn_for(const bool& ended) noexcept;

  bool finished() const noexcept;
  void run_ready() noexcept;
  void take_posted() noexcept;
  void take_timers() noexcept;
  void append(work* first) noexcept;
  void wait();
  void cancel_all() noexcept;

  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  std::unique_ptr<detail::backend> backend_;
  std::atomic<work*> posted_{nullptr};  // a stack, newest first, or asleep() while the owner sleeps
  std::atomic<bool> stopped_{false};
  std::atomic<bool> closing_{false};
  bool cancelled_all_ = false;
  bool dying_ = false;
  std::atomic<std::size_t> tasks_{0};
  std::atomic<std::int64_t> earliest_{never};  // ticks of the first timer
  std::thread::id owner_;
  work* ready_ = nullptr;  // the owner's own list, oldest first
  work* ready_end_ = nullptr;
  detail::pending* under_way_ = nullptr;
  std::mutex mutex_;  // timers_, and the change between awake and asleep
  corolith::detail::timer_heap timers_;
  work asleep_;
};

}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/io_loop.ipp>
#endif
