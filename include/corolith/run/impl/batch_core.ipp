// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/run/detail/batch_core.hpp>

#include <algorithm>

namespace corolith {
inline namespace v0 {
namespace detail {

inline std::size_t is_failure(const call_outcome& outcome) noexcept {
  return outcome.error != nullptr || outcome.head.kind != wire::outcome_kind::value ? 1 : 0;
}

/// Runs `act` once on the background loop.
template <class Act>
void post_to_background(Act act) {
  struct item : loop::work {
    explicit item(Act what) : act(std::move(what)) {
      run = [](loop::work* self) noexcept { std::unique_ptr<item>(static_cast<item*>(self))->act(); };
    }
    Act act;
  };
  background_loop().post(*new item(std::move(act)));
}

// The last reference may be the backend's; the range is the user's, and ends where it was iterated.
COROLITH_DECL batch_core::~batch_core() {
  if (source_) post_to_background([unused = std::move(source_)] {});
}

COROLITH_DECL void batch_core::open(batch_request request, std::unique_ptr<input_source> source) {
  source_ = std::move(source);
  lazy_ = request.lazy = source_ != nullptr;
  if (lazy_) stop_ = std::stop_source();
  const std::uint64_t id = backend_->open(shared_from_this(), std::move(request));
  std::lock_guard lock(mutex_);  // want_input may already be at work
  id_ = id;
  if (wanted_ != 0 && !std::exchange(feeding_, true)) start_feeding();
}

COROLITH_DECL void batch_core::feed(element_block block, bool last) {
  {
    std::lock_guard lock(mutex_);
    fed_ += block.count();
    all_fed_ = last;
  }
  backend_->feed(id_, std::move(block), last);
}

COROLITH_DECL void batch_core::want_input(std::uint32_t count) noexcept {
  std::lock_guard lock(mutex_);
  if (!lazy_) return;
  wanted_ += count;
  if (id_ == 0 || std::exchange(feeding_, true)) return;
  start_feeding();
}

COROLITH_DECL void batch_core::start_feeding() {
  spawn(background_loop(), feed_wanted(shared_from_this()), stop_.get_token());
}

// On the background loop, as stop callbacks may be the user's.
COROLITH_DECL void batch_core::stop_input() noexcept {
  if (stop_.stop_possible() && !stop_.stop_requested())
    post_to_background([stop = stop_]() mutable { stop.request_stop(); });
}

COROLITH_DECL void batch_core::feed_when_idle() {
  if (std::exchange(feed_posted_, true)) return;
  post_to_background([self = shared_from_this()] {
    self->feed_posted_ = false;
    if (self->builder_.pending() != 0) self->feed(self->builder_.take(), false);
  });
}

COROLITH_DECL task<void> batch_core::feed_wanted(std::shared_ptr<batch_core> self) {
  for (;;) {
    std::uint32_t count;
    {
      std::lock_guard lock(self->mutex_);
      count = std::min<std::uint32_t>(self->wanted_, block_builder::most_elements);
      self->wanted_ -= count;
      if (count == 0 || !self->source_) {
        self->feeding_ = false;
        co_return;
      }
    }
    std::exception_ptr failure;
    bool more = false;
    const std::uint32_t before = self->builder_.total();
    try {
      more = co_await self->source_->pull(count, *self);
    } catch (...) {
      failure = std::current_exception();  // the user's range threw: the batch ends with that
    }
    if (more) {  // it may give fewer than were asked for
      std::lock_guard lock(self->mutex_);
      self->wanted_ += count - (self->builder_.total() - before);
    }
    if (!failure) {
      self->feed(self->builder_.take(), !more);
    } else if (!self->stop_.stop_requested()) {
      self->abandoned(failure);
      self->backend_->cancel(self->id_, std::nullopt);
    }
    if (!more) {
      // `feeding_` stays set, so nobody comes back for it.
      self->source_.reset();
      co_return;
    }
  }
}

COROLITH_DECL void batch_core::finished(call_outcome&& outcome) noexcept {
  std::lock_guard lock(mutex_);
  ++arrived_;
  if (abandoned_) return;
  failures_ += is_failure(outcome);
  outcomes_.push_back(std::move(outcome));
}

COROLITH_DECL void batch_core::settle(bool done) noexcept {
  std::unique_lock lock(mutex_);
  done_ = done_ || done;
  if (done) stop_input();
  wake_if_ready(std::move(lock));
}

COROLITH_DECL void batch_core::abandoned(std::exception_ptr reason) noexcept {
  std::unique_lock lock(mutex_);
  if (done_ || abandoned_) return;
  abandoned_ = std::move(reason);
  stop_input();
  wake_if_ready(std::move(lock));
}

COROLITH_DECL bool batch_core::ready_locked(std::size_t enough) const noexcept {
  return outcomes_.size() >= enough || failures_ != 0 || done_ || abandoned_ != nullptr;
}

COROLITH_DECL void batch_core::wake_if_ready(std::unique_lock<std::mutex> lock) {
  suspension* consumer = ready_locked(enough_) ? std::exchange(consumer_, nullptr) : nullptr;
  lock.unlock();
  if (consumer != nullptr) consumer->fire();
}

COROLITH_DECL std::optional<call_outcome> batch_core::take() {
  std::uint32_t report = 0;
  std::optional<call_outcome> outcome;
  {
    std::lock_guard lock(mutex_);
    if (outcomes_.empty()) {
      if (abandoned_) std::rethrow_exception(abandoned_);
      return std::nullopt;
    }
    outcome = std::move(outcomes_.front());
    outcomes_.pop_front();
    failures_ -= is_failure(*outcome);
    // In groups: the window is much larger than a group, so the backend never runs dry for want of a report.
    if (lazy_ && (++consumed_ >= 256 || outcomes_.empty())) report = std::exchange(consumed_, 0);
  }
  if (report != 0) backend_->consumed(id_, report);
  return outcome;
}

COROLITH_DECL bool batch_core::ready(std::size_t enough) {
  std::lock_guard lock(mutex_);
  return ready_locked(enough);
}

COROLITH_DECL bool batch_core::over() {
  std::lock_guard lock(mutex_);
  return done_ && outcomes_.empty();
}

COROLITH_DECL void batch_core::check_complete() {
  std::lock_guard lock(mutex_);
  if (!all_fed_ || arrived_ != fed_) throw cancelled("the batch was cancelled before its input ended");
}

COROLITH_DECL void batch_core::cancel() noexcept {
  {
    std::lock_guard lock(mutex_);
    if (done_ || abandoned_) return;
    stop_input();
  }
  backend_->cancel(id_, std::nullopt);
}

COROLITH_DECL void batch_core::cancel_call(std::uint32_t index) noexcept { backend_->cancel(id_, index); }

COROLITH_DECL std::uint64_t batch_core::arrived() {
  std::lock_guard lock(mutex_);
  return arrived_;
}

COROLITH_DECL bool batch_core::park(suspension& consumer, std::size_t enough) {
  std::lock_guard lock(mutex_);
  if (ready_locked(enough)) return false;
  if (consumer_ != nullptr) throw error(errc::misuse, "a batch can be awaited by one coroutine at a time");
  consumer_ = &consumer;
  enough_ = enough;
  return true;
}

COROLITH_DECL bool batch_core::unpark(suspension& consumer) {
  std::lock_guard lock(mutex_);
  if (consumer_ != &consumer) return false;
  consumer_ = nullptr;
  return true;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
