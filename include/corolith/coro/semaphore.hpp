// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/awaiter.hpp>

#include <coroutine>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {

/// A number of units that coroutines, on whatever loops, take and give back. Whoever asks first is served first: a large
/// request is not overtaken by small ones. Thread-safe. It must outlive its permits and those who wait.
class semaphore {
 public:
  /// Some units, given back when it is destroyed.
  class [[nodiscard("the units are given back at once")]] permit {
   public:
    permit() noexcept = default;
    permit(permit&& other) noexcept : of_(std::exchange(other.of_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    permit& operator=(permit&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(count_, other.count_);
      return *this;
    }
    ~permit() { release(); }

    std::size_t count() const noexcept { return count_; }
    /// Gives all units back.
    void release() noexcept { release(count_); }
    /// Gives some of the units back; all when there are not more.
    void release(std::size_t count) noexcept {
      if (count > count_) count = count_;
      count_ -= count;
      if (count > 0) of_->give_back(count);
    }

   private:
    friend semaphore;
    permit(semaphore& of, std::size_t count) noexcept : of_(&of), count_(count) {}
    semaphore* of_ = nullptr;
    std::size_t count_ = 0;
  };

  explicit semaphore(std::size_t capacity) noexcept : capacity_(capacity), available_(capacity) {}
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  std::size_t capacity() const noexcept { return capacity_; }
  /// How many units nobody has at the moment.
  std::size_t available() const {
    std::lock_guard lock(mutex_);
    return available_;
  }

  class acquire_operation;
  /// `co_await acquire(n)`: waits for n units and gives a permit. Throws errc::misuse when there are not so many in all,
  /// and `cancelled` when the awaiting task is asked to stop before.
  [[nodiscard]] acquire_operation acquire(std::size_t count = 1) noexcept;

  /// Takes the units if they are there and nobody waits.
  std::optional<permit> try_acquire(std::size_t count = 1) {
    std::lock_guard lock(mutex_);
    if (first_ != nullptr || count > available_) return std::nullopt;
    available_ -= count;
    return permit(*this, count);
  }

 private:
  // In the queue from its suspension until somebody takes it out: that is the one event that resumes it.
  struct waiter {
    std::size_t count = 0;
    waiter* previous = nullptr;
    waiter* next = nullptr;
    bool queued = false;
    suspension suspended;
  };
  class acquire_awaiter;

  void append(waiter& item) noexcept {
    item.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &item;
    last_ = &item;
    item.queued = true;
  }
  void take_out(waiter& item) noexcept {
    (item.previous == nullptr ? first_ : item.previous->next) = item.next;
    (item.next == nullptr ? last_ : item.next->previous) = item.previous;
    item.next = nullptr;
    item.queued = false;
  }
  /// Those whose turn it is, with their units, as a list.
  waiter* take_served() noexcept {
    waiter* served = nullptr;
    waiter** end = &served;
    while (first_ != nullptr && first_->count <= available_) {
      waiter& item = *first_;
      available_ -= item.count;
      take_out(item);
      *end = &item;
      end = &item.next;
    }
    return served;
  }
  static void resume(waiter* served) noexcept {
    while (served != nullptr) {
      waiter* item = std::exchange(served, served->next);  // it may be gone once it is told
      item->suspended.fire();
    }
  }
  void give_back(std::size_t count) noexcept {
    waiter* served = nullptr;
    {
      std::lock_guard lock(mutex_);
      available_ += count;
      served = take_served();
    }
    resume(served);
  }
  /// True: it waited, and does not any more.
  bool withdraw(waiter& item) noexcept {
    waiter* served = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (!item.queued) return false;
      take_out(item);
      served = take_served();  // it may have been in the way of smaller ones
    }
    resume(served);
    return true;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::size_t available_;
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

class semaphore::acquire_awaiter : public native_awaiter {
 public:
  acquire_awaiter(semaphore& of, std::size_t count) noexcept : of_(of) { waiter_.count = count; }
  acquire_awaiter(const acquire_awaiter&) = delete;
  acquire_awaiter& operator=(const acquire_awaiter&) = delete;
  ~acquire_awaiter() {
    if (resumed_) return;
    on_stop_.reset();
    of_.withdraw(waiter_);  // the coroutine is destroyed where it waits
  }

  bool await_ready() const {
    if (waiter_.count > of_.capacity_)
      throw error(errc::misuse, "a semaphore of " + std::to_string(of_.capacity_) + " cannot give " +
                                    std::to_string(waiter_.count) + ": nobody would ever get them");
    return false;
  }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    waiter_.suspended.prepare(coroutine);
    std::stop_token stop;
    if (coro_context* context = corolith::detail::context_of(coroutine)) stop = context->stop;
    if (stop.stop_requested()) {
      stopped_ = true;
      return false;
    }
    {
      std::lock_guard lock(of_.mutex_);
      if (of_.first_ == nullptr && waiter_.count <= of_.available_) {
        of_.available_ -= waiter_.count;
        return false;
      }
      of_.append(waiter_);
    }
    if (stop.stop_possible()) on_stop_.emplace(std::move(stop), on_stop{this});
    return waiter_.suspended.settle();
  }
  permit await_resume() {
    on_stop_.reset();  // blocks while the callback runs on another thread
    resumed_ = true;
    if (stopped_) throw cancelled("cancelled: the task was asked to stop while it waited for its turn");
    return permit(of_, waiter_.count);
  }

 private:
  struct on_stop {
    acquire_awaiter* self;
    // The awaiter outlives this call, as its resumption waits for it.
    void operator()() const noexcept {
      if (!self->of_.withdraw(self->waiter_)) return;
      self->stopped_ = true;
      self->waiter_.suspended.fire();
    }
  };

  semaphore& of_;
  waiter waiter_;
  bool stopped_ = false;
  bool resumed_ = false;
  std::optional<std::stop_callback<on_stop>> on_stop_;
};

class [[nodiscard("nothing is acquired until this is awaited")]] semaphore::acquire_operation {
 public:
  acquire_operation(semaphore& of, std::size_t count) noexcept : of_(&of), count_(count) {}
  acquire_awaiter operator co_await() const noexcept { return {*of_, count_}; }

 private:
  semaphore* of_;
  std::size_t count_;
};

inline semaphore::acquire_operation semaphore::acquire(std::size_t count) noexcept { return {*this, count}; }

}  // namespace v0
}  // namespace corolith
