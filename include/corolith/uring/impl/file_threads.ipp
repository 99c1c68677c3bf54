// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/uring/detail/blocking_call.hpp>
#include <corolith/uring/detail/file_threads.hpp>

#include <algorithm>
#include <exception>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

COROLITH_DECL file_threads::file_threads(unsigned most, backend& woken) noexcept
    : most_(std::max(most, 1U)), woken_(woken) {}

COROLITH_DECL file_threads::~file_threads() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& each : threads_) each.join();
}

COROLITH_DECL bool file_threads::submit(pending& item) noexcept {
  std::lock_guard lock(mutex_);
  if (waiting_ >= idle_ && threads_.size() < most_) {
    try {
      threads_.emplace_back([this] { work(); });
      ++idle_;                         // for it: it takes the item as soon as it runs
    } catch (const std::exception&) {  // those that there are must do
      if (threads_.empty()) return false;
    }
  }
  item.where = pending::place::queue;
  queue_.append(item);
  ++waiting_;
  wake_.notify_one();
  return true;
}

COROLITH_DECL bool file_threads::withdraw(pending& item) noexcept {
  std::lock_guard lock(mutex_);
  if (!queue_.remove(item)) return false;
  --waiting_;
  return true;
}

COROLITH_DECL pending* file_threads::take_done() noexcept {
  if (done_.load(std::memory_order_relaxed) == nullptr) return nullptr;
  return done_.exchange(nullptr, std::memory_order_acquire);
}

inline void file_threads::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    pending& item = queue_.take();
    --waiting_;
    --idle_;
    lock.unlock();
    item.outcome = blocking_call(item.what);
    lock.lock();
    ++idle_;
    item.behind = done_.load(std::memory_order_relaxed);
    while (!done_.compare_exchange_weak(item.behind, &item, std::memory_order_release, std::memory_order_relaxed)) {
    }
    woken_.wake();  // the backend is there until this thread has been joined
  }
}

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
