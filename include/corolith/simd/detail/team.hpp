// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/version.hpp>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Keeps the calling thread on one processor, where that is allowed, until it is destroyed by the same thread.
class pinned {
 public:
  explicit pinned(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(cpu), &one);
    is_ = ::sched_getaffinity(0, sizeof before_, &before_) == 0 && ::sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~pinned() {
    if (is_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;

 private:
  cpu_set_t before_;
  bool is_ = false;
};

/// Threads that do the same kind of work at the same time, again and again: member 0 is the thread that made the team and calls
/// run, the others live as long as the team. When there are as many members as usable processors, each has its own: else the
/// kernel may leave two on one for a while. When there are fewer, another process may measure too, so none is pinned.
class team {
 public:
  using clock = std::chrono::steady_clock;

  /// Throws error(errc::misuse) when `size` is 0, and std::system_error when a thread cannot be started.
  explicit team(unsigned size, const char* asked_by) : begins_(size), ends_(size) {
    if (size == 0) throw error(errc::misuse, std::string(asked_by) + ": give it at least one thread");
    if (usable_cpus().size() == size) cpus_ = usable_cpus();
    try {
      for (unsigned member = 1; member < size; ++member) threads_.emplace_back([this, member] { serve(member); });
    } catch (...) {
      end();
      throw;
    }
    if (!cpus_.empty()) pinned_.emplace(cpus_[0]);
  }
  ~team() { end(); }
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  unsigned size() const { return static_cast<unsigned>(begins_.size()); }

  /// Calls work(member) in all members, which begin together. Returns the seconds from the first beginning to the last end:
  /// what all have done, over this, is a rate at which they have worked at once. `work` must not throw.
  double run(std::function<void(unsigned)> work) {
    work_ = std::move(work);
    const unsigned round = round_.fetch_add(1) + 1;
    round_.notify_all();
    take_part(0, round);
    for (unsigned seen = finished_.load(); seen != round * size(); seen = finished_.load()) finished_.wait(seen);
    return std::chrono::duration<double>(*std::max_element(ends_.begin(), ends_.end()) -
                                         *std::min_element(begins_.begin(), begins_.end()))
        .count();
  }

 private:
  void serve(unsigned member) {
    std::optional<pinned> here;
    if (!cpus_.empty()) here.emplace(cpus_[member]);
    for (unsigned round = 1;; ++round) {
      for (unsigned seen = round_.load(); seen != round; seen = round_.load()) round_.wait(seen);
      if (ending_.load()) return;
      take_part(member, round);
    }
  }

  void take_part(unsigned member, unsigned round) {
    // Those that slept wake one after another; who is awake waits for them without sleeping. Counters go round at 2^32.
    arrived_.fetch_add(1);
    while (static_cast<int>(round * size() - arrived_.load()) > 0) std::this_thread::yield();
    begins_[member] = clock::now();
    work_(member);
    ends_[member] = clock::now();
    finished_.fetch_add(1);
    finished_.notify_all();
  }

  void end() {
    ending_.store(true);
    round_.fetch_add(1);
    round_.notify_all();
    for (std::thread& each : threads_) each.join();
  }

  std::vector<int> cpus_;
  std::optional<pinned> pinned_;
  std::vector<clock::time_point> begins_, ends_;
  std::function<void(unsigned)> work_;
  std::atomic<unsigned> round_ = 0, arrived_ = 0, finished_ = 0;
  std::atomic<bool> ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
