// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <vector>

namespace corolith {
inline namespace v0 {

/// Where coroutines resume: a queue of work that one thread at a time runs. All members may be called from any thread.
class loop {
 public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// One thing to run. Intrusive: the poster owns it and keeps it alive until `run` is called; `run` may destroy it.
  struct work {
    work* next = nullptr;
    void (*run)(work*) noexcept = nullptr;
  };

  /// Work with a due time.
  struct timer : work {
    static constexpr std::size_t not_queued = std::numeric_limits<std::size_t>::max();
    time_point when{};
    std::size_t position = not_queued;  ///< private to the loop
  };

  loop() = default;
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  virtual ~loop() = default;

  /// Queues `item`; it never runs inside this call. Work posted by one thread runs in the order of its posts.
  virtual void post(work& item) noexcept = 0;
  /// Queues `item` to run at `when` or soon after. Throws std::bad_alloc.
  virtual void post_at(time_point when, timer& item) = 0;
  /// Takes a timer back. True: it will not run. False: it ran, or is about to.
  virtual bool cancel(timer& item) noexcept = 0;

  /// A task that lives on this loop started, or ended. A loop over somebody else's event loop keeps that one from
  /// running out of work in between.
  virtual void work_started() noexcept {}
  virtual void work_finished() noexcept {}

  /// The loop whose work the calling thread is running; nullptr outside of any.
  COROLITH_DECL static loop* current() noexcept;
};

namespace detail {

/// The time `duration` from now, or the last there is when that is out of range.
template <class Rep, class Period>
loop::time_point deadline_after(std::chrono::duration<Rep, Period> duration) {
  using seconds = std::chrono::duration<double>;
  loop::time_point now = loop::clock::now();
  if (duration <= duration.zero()) return now;
  if (seconds(duration) >= seconds(loop::time_point::max() - now)) return loop::time_point::max();
  return now + std::chrono::ceil<loop::clock::duration>(duration);
}

/// Says for its lifetime that the calling thread runs the work of a loop.
class current_loop_scope {
 public:
  COROLITH_DECL explicit current_loop_scope(loop* entered) noexcept;
  COROLITH_DECL ~current_loop_scope();
  current_loop_scope(const current_loop_scope&) = delete;
  current_loop_scope& operator=(const current_loop_scope&) = delete;

 private:
  loop* outer_;
};

/// A binary heap of intrusive timers, the earliest on top. Not thread-safe.
class timer_heap {
 public:
  bool empty() const noexcept { return heap_.empty(); }
  loop::time_point earliest() const noexcept { return heap_.front()->when; }
  COROLITH_DECL void push(loop::timer& item);
  COROLITH_DECL bool remove(loop::timer& item) noexcept;
  /// Takes out what is due; returns it as a list linked by `next`, the earliest first.
  COROLITH_DECL loop::work* take_due(loop::time_point now) noexcept;

 private:
  void place(loop::timer& item, std::size_t position) noexcept;
  void sift_up(std::size_t position) noexcept;
  void sift_down(std::size_t position) noexcept;

  std::vector<loop::timer*> heap_;
};

}  // namespace detail

/// A loop that belongs to the thread that calls `run`. A post takes no lock unless the owner sleeps, and wakes it only
/// then. Work that is still queued when the loop is destroyed never runs.
class run_loop final : public loop {
 public:
  COROLITH_DECL void post(work& item) noexcept override;
  COROLITH_DECL void post_at(time_point when, timer& item) override;
  COROLITH_DECL bool cancel(timer& item) noexcept override;

  /// Runs work until `stop`; sleeps when there is none. A stop that came before is honoured at once, and used up.
  COROLITH_DECL void run();
  /// Runs work until `when` or `stop`, whichever is first.
  COROLITH_DECL void run_until(time_point when);
  /// Runs what is ready now, without sleeping. Returns how many pieces of work ran.
  COROLITH_DECL std::size_t poll();
  /// Makes `run` return after the piece of work that it is running. Any thread. The loop may be destroyed as soon as
  /// `run` returned.
  COROLITH_DECL void stop() noexcept;

 private:
  bool step(bool may_sleep, time_point limit);
  bool take_posted() noexcept;
  void take_timers() noexcept;
  void sleep(time_point limit);
  void append(work* first) noexcept;

  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  std::atomic<work*> posted_{nullptr};  // a stack, newest first, or asleep() while the owner sleeps
  std::atomic<bool> stopped_{false};
  std::atomic<std::int64_t> earliest_{never};  // ticks of the first timer
  work* ready_ = nullptr;                      // the owner's own list, oldest first
  work* ready_end_ = nullptr;
  std::mutex mutex_;  // timers_, and the change between awake and asleep
  std::condition_variable wake_;
  detail::timer_heap timers_;
  work asleep_;
};

/// The process-wide loop, with one thread of its own that starts on first use and is joined at exit. Coroutines that
/// know nothing of corolith resume here.
COROLITH_DECL loop& background_loop();

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/coro/impl/loop.ipp>
#endif
