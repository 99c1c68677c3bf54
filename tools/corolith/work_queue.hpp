// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/future.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tool {

/// Things to do, between who lists them and those who do them, all on one loop.
template <class T>
class work_queue {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  void push(T item) {
    items_.push_back(std::move(item));
    wake(1);
  }
  void close() {
    closed_ = true;
    wake(sleepers_.size());
  }
  /// Nothing: there will be no more.
  corolith::task<std::optional<T>> pop() {
    while (items_.empty() && !closed_) {
      corolith::promise<void> waker;
      const corolith::future<void> woken = waker.get_future();
      sleepers_.push_back(std::move(waker));
      co_await woken;
    }
    std::optional<T> first;
    if (!items_.empty()) {
      first.emplace(std::move(items_.front()));
      items_.pop_front();
    }
    co_return first;
  }

 private:
  void wake(std::size_t count) {
    for (; count != 0 && !sleepers_.empty(); --count) {
      sleepers_.front().set_value();
      sleepers_.pop_front();
    }
  }

  std::deque<T> items_;
  std::deque<corolith::promise<void>> sleepers_;
  bool closed_ = false;
};

template <class T, class Listed>
corolith::task<void> list_into(work_queue<T>* queue, corolith::generator<T> items, Listed listed) {
  std::size_t count = 0;
  while (std::optional<T> item = co_await items.next()) {
    listed(*item);
    queue->push(std::move(*item));
    if (++count % 64 == 0) co_await corolith::reschedule();
    while (queue->size() > 100'000) co_await corolith::sleep_for(std::chrono::milliseconds(50));
  }
  queue->close();
}

template <class T, class Act>
corolith::task<void> work_off(work_queue<T>* queue, Act act) {
  while (std::optional<T> item = co_await queue->pop()) co_await act(std::move(*item));
}

/// Does `act` (a function that gives a task) with each item, so many at a time, while the listing goes on ahead: `listed` hears of each.
/// The first exception, of the listing or of an act, ends it all.
template <class T, class Listed, class Act>
corolith::task<void> for_each(corolith::generator<T> items, unsigned jobs, Listed listed, Act act) {
  work_queue<T> queue;
  std::vector<corolith::task<void>> tasks;
  tasks.push_back(list_into(&queue, std::move(items), std::move(listed)));
  for (unsigned i = 0; i < jobs; ++i) tasks.push_back(work_off(&queue, act));
  co_await corolith::when_all(std::move(tasks));
}

}  // namespace tool
