// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/uring/detail/operation.hpp>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

COROLITH_DECL operation::operation(io_loop& on, op_options options) noexcept : loop_(on) {
  timeout = options.timeout;
  start_.self = this;
  start_.run = [](loop::work* item) noexcept { static_cast<own_work*>(item)->self->start(); };
  stop_.self = this;
  stop_.run = [](loop::work* item) noexcept { static_cast<own_work*>(item)->self->stop_arrived(); };
}

COROLITH_DECL operation::~operation() = default;

COROLITH_DECL void operation::begin(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    stop_posted_ = true;
    result_ = -ECANCELED;
    suspension_.fire();
    return;
  }
  phase_.store(phase::begun, std::memory_order_relaxed);
  // Before the start: from then on the loop's thread may end the operation, and take the callback away.
  if (stop.stop_possible()) on_stop_.emplace(stop, on_stop{this});
  if (loop_.is_current()) {
    start();
  } else {
    loop_.post(start_);
  }
}

COROLITH_DECL void operation::start() noexcept {
  if (stop_ran_ || loop_.closing()) {
    cancelling = true;
    result_ = -ECANCELED;
    finish();
    return;
  }
  listed_ = true;
  loop_.submit(*this);
}

// The post comes before or after the start, or after the end, which then waited for it.
COROLITH_DECL void operation::stop_arrived() noexcept {
  stop_ran_ = true;
  if (complete_) {
    finish();
  } else if (listed_) {
    loop_.cancel_operation(*this);
  }
}

COROLITH_DECL void operation::ended(std::int32_t outcome_of_part) noexcept {
  const bool interrupted = outcome_of_part == -EINTR && timeout == no_timeout;
  if (!cancelling && !abandoned_ && (interrupted || (outcome_of_part > 0 && advance(outcome_of_part)))) {
    loop_.resubmit(*this);
    return;
  }
  if (cancelling || outcome_of_part != -EINTR) {
    // A cancelled `_all` may have moved a part of its bytes: it failed all the same.
    const bool partly = cancelling && outcome_of_part > 0 && advance(outcome_of_part);
    result_ = partly || outcome_of_part == -EINTR ? -ECANCELED : outcome_of_part;
  } else {
    result_ = -ECANCELED;  // that is how a timeout ends what blocks a thread of the kernel
  }
  listed_ = false;
  loop_.forget(*this);
  finish();
}

COROLITH_DECL void operation::finish() noexcept {
  complete_ = true;
  on_stop_.reset();  // waits for a callback that runs on another thread
  if (stop_posted_ && !stop_ran_) return;
  if (abandoned_) {
    phase_.store(phase::over, std::memory_order_release);
    gone_ = true;
  } else if (loop_.dying() && &suspension_.home() == &loop_) {
    phase_.store(phase::resumed, std::memory_order_release);  // never, but the loop is not to be asked any more
  } else {
    phase_.store(phase::over, std::memory_order_release);
    suspension_.fire();
  }
}

COROLITH_DECL std::error_code operation::failure() const noexcept {
  if (result_ >= 0) return {};
  const bool timed_out = result_ == -ECANCELED && !stop_posted_ && !cancelling && timeout != no_timeout;
  return std::error_code(timed_out ? ETIMEDOUT : -result_, std::generic_category());
}

COROLITH_DECL void operation::throw_failure(const char* name) const {
  const std::error_code what_failed = failure();
  if (what_failed == std::errc::operation_canceled)
    throw cancelled(std::string("cancelled: ") + name + " was under way when its task or its loop was asked to stop");
  throw std::system_error(what_failed, name);
}

// The coroutine is destroyed where it is suspended, and its buffers with it: not before the kernel has let go of them.
COROLITH_DECL void operation::abandon() noexcept {
  if (phase_.load(std::memory_order_relaxed) == phase::over && &suspension_.home() != &loop_) {
    dispose(result_);
    return;
  }
  if (loop_.is_owner()) {
    abandon_here();
    return;
  }
  struct request_to_loop : loop::work {
    operation* self = nullptr;
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;
  } there;
  there.self = this;
  there.run = [](loop::work* item) noexcept {
    auto& asked = *static_cast<request_to_loop*>(item);
    asked.self->abandon_here();
    std::lock_guard lock(asked.mutex);
    asked.done = true;
    asked.wake.notify_one();  // under the lock: it keeps `asked` alive
  };
  loop_.post(there);
  std::unique_lock lock(there.mutex);
  there.wake.wait(lock, [&there] { return there.done; });
}

COROLITH_DECL void operation::abandon_here() noexcept {
  on_stop_.reset();
  if (phase_.load(std::memory_order_relaxed) == phase::over) {  // the coroutine waits for its turn to resume
    loop_.withdraw(suspension_.posted());
    dispose(result_);
    return;
  }
  abandoned_ = true;
  if (stop_posted_ && !stop_ran_) stop_ran_ = loop_.withdraw(stop_);
  if (listed_) {
    loop_.cancel_operation(*this);
    loop_.turn_for(gone_);
  } else {
    loop_.withdraw(start_);
  }
  if (complete_) dispose(result_);
}

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
