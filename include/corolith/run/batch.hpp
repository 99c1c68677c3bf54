// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/coro/result.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/run/detail/batch_core.hpp>
#include <corolith/run/detail/outcome.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {

/// One call of a batch that ended, as `batch::next` gives it.
template <class T>
struct completed {
  std::uint32_t index = 0;  ///< of the element that was its argument
  T value;
  call_stats stats;
};
template <>
struct completed<void> {
  std::uint32_t index = 0;
  call_stats stats;
};

namespace detail {

template <class T>
T decode_value(const call_outcome& outcome) {
  if (outcome.error || outcome.head.kind != wire::outcome_kind::value) std::rethrow_exception(to_exception(outcome));
  if constexpr (!std::is_void_v<T>) return codec::decode_all<T>(outcome.payload);
}

template <class T>
result<T> decode_result(const call_outcome& outcome) {
  try {
    if constexpr (std::is_void_v<T>) {
      decode_value<void>(outcome);
      return result<void>();
    } else {
      return result<T>(std::in_place, decode_value<T>(outcome));
    }
  } catch (...) {
    return result<T>(std::current_exception());
  }
}

/// A task that owns itself while it is awaited: what `operator co_await` of a batch returns.
template <class T>
class held_task : public native_awaiter {
 public:
  explicit held_task(task<T> work) : work_(std::move(work)), awaiter_(std::move(work_).operator co_await()) {}
  bool await_ready() { return awaiter_.await_ready(); }
  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> coroutine) {
    return awaiter_.await_suspend(coroutine);
  }
  T await_resume() { return awaiter_.await_resume(); }

 private:
  task<T> work_;
  decltype(std::declval<task<T>>().operator co_await()) awaiter_;
};

/// Values by index, whatever the order in which they come. Types without a default constructor wait in optionals.
template <class T>
class value_collector {
 public:
  void put(std::uint32_t index, T value) {
    if (index >= slots_.size()) slots_.resize(std::size_t{index} + 1);
    slots_[index] = std::move(value);
  }
  std::vector<T> take() {
    if constexpr (in_place) {
      return std::move(slots_);
    } else {
      std::vector<T> values;
      values.reserve(slots_.size());
      for (auto& slot : slots_) values.push_back(std::move(*slot));
      return values;
    }
  }

 private:
  static constexpr bool in_place = std::is_default_constructible_v<T>;
  std::vector<std::conditional_t<in_place, T, std::optional<T>>> slots_;
};
template <>
class value_collector<void> {
 public:
  void take() const noexcept {}
};

/// How many outcomes a collector waits for before it wakes: decoding overlaps with the wire without a wake-up per result.
inline constexpr std::size_t collect_group = 2048;

template <class T>
using collected_t = decltype(std::declval<value_collector<T>&>().take());

template <class T>
task<collected_t<T>> collect_values(std::shared_ptr<batch_core> batch, std::shared_ptr<std::vector<call_stats>> stats) {
  value_collector<T> values;
  for (;;) {
    co_await batch_ready{*batch, collect_group};
    while (std::optional<call_outcome> outcome = batch->take()) {
      const std::uint32_t index = outcome->head.id.index;
      if (stats) {
        if (index >= stats->size()) stats->resize(std::size_t{index} + 1);
        (*stats)[index] = to_stats(*outcome);
      }
      try {
        if constexpr (std::is_void_v<T>) {
          decode_value<void>(*outcome);
        } else {
          values.put(index, decode_value<T>(*outcome));
        }
      } catch (...) {
        batch->cancel();  // nobody will ask for the others
        throw;
      }
    }
    if (!batch->over()) continue;
    batch->check_complete();
    co_return values.take();
  }
}

template <class T>
task<std::vector<result<T>>> collect_results(std::shared_ptr<batch_core> batch) {
  value_collector<result<T>> results;
  for (;;) {
    co_await batch_ready{*batch, collect_group};
    while (std::optional<call_outcome> outcome = batch->take())
      results.put(outcome->head.id.index, decode_result<T>(*outcome));
    if (batch->over()) co_return results.take();
  }
}

}  // namespace detail

/// The calls of one `map`, which run whether somebody waits or not. Take the results in one of three ways, by one consumer:
/// `co_await b` gives all values in the order of the elements and throws the first error (the remaining calls are cancelled);
/// `co_await as_result(b)` gives a `result<T>` for each; `co_await b.next()` gives them one by one in order of completion, and only
/// then a lazy input is held back while results are not taken. Letting go of a batch cancels what is left of it.
template <class T>
class [[nodiscard("letting go of a batch cancels its calls")]] batch {
 public:
  using value_type = T;

  batch() noexcept = default;
  explicit batch(std::shared_ptr<detail::batch_core> core) noexcept : core_(std::move(core)) {}
  batch(batch&&) noexcept = default;
  batch& operator=(batch&& other) noexcept {
    batch dropped(std::move(other));
    core_.swap(dropped.core_);
    stats_.swap(dropped.stats_);
    return *this;
  }
  ~batch() {
    if (core_) core_->cancel();
  }

  bool valid() const noexcept { return core_ != nullptr; }
  /// Names the batch in errors and in the output of workers.
  std::uint64_t id() const { return checked().id(); }

  /// All values, in the order of the elements; nothing for `batch<void>`.
  auto operator co_await() { return detail::held_task(detail::collect_values<T>(share(), stats_)); }
  /// The same, blocking the thread.
  auto get() { return sync_wait(detail::collect_values<T>(share(), stats_)); }

  /// The next call that ended, as std::optional<completed<T>>; empty when there are no more. Throws the error of a call that
  /// failed; the next `next` goes on behind it.
  auto next() { return next_call{share()}; }

  /// Calls that ended so far, whether their results were taken or not.
  std::uint64_t done_count() const { return checked().arrived(); }

  /// Cancels what has not ended; those calls end as `cancelled`. Any thread.
  void cancel() noexcept {
    if (core_) core_->cancel();
  }
  void cancel(std::uint32_t index) noexcept {
    if (core_) core_->cancel_call(index);
  }

  /// Keeps the stats of every call for `stats()`: about 150 bytes a call. To be called before the batch is awaited.
  batch& keep_stats() & {
    stats_ = std::make_shared<std::vector<call_stats>>();
    return *this;
  }
  batch&& keep_stats() && { return std::move(keep_stats()); }
  /// By index, for calls whose values were collected by `co_await` or `get` after `keep_stats`.
  std::vector<call_stats> stats() const { return stats_ ? *stats_ : std::vector<call_stats>(); }

  const std::shared_ptr<detail::batch_core>& share() const {
    checked();
    return core_;
  }

 private:
  class next_awaiter : public detail::native_awaiter {
   public:
    explicit next_awaiter(std::shared_ptr<detail::batch_core> core) : core_(std::move(core)), wait_(*core_, 1) {}
    bool await_ready() { return wait_.await_ready(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      return wait_.await_suspend(coroutine);
    }
    std::optional<completed<T>> await_resume() {
      wait_.await_resume();
      const std::optional<detail::call_outcome> outcome = core_->take();
      if (!outcome) return std::nullopt;
      if constexpr (std::is_void_v<T>) {
        detail::decode_value<void>(*outcome);
        return completed<void>{outcome->head.id.index, detail::to_stats(*outcome)};
      } else {
        return completed<T>{outcome->head.id.index, detail::decode_value<T>(*outcome), detail::to_stats(*outcome)};
      }
    }

   private:
    std::shared_ptr<detail::batch_core> core_;
    detail::batch_awaiter wait_;
  };

  struct next_call {
    std::shared_ptr<detail::batch_core> core;
    next_awaiter operator co_await() const { return next_awaiter(core); }
  };

  detail::batch_core& checked() const {
    if (!core_) throw error(errc::misuse, "this batch is empty: it was moved from or default-constructed");
    return *core_;
  }

  std::shared_ptr<detail::batch_core> core_;
  std::shared_ptr<std::vector<call_stats>> stats_;
};

/// `co_await as_result(b)`: a vector of `result<T>`, one for each element, in their order.
template <class T>
task<std::vector<result<T>>> as_result(batch<T>& of) {
  return detail::collect_results<T>(of.share());
}
template <class T>
task<std::vector<result<T>>> as_result(batch<T>&& of) {
  batch<T> owned = std::move(of);
  co_return co_await detail::collect_results<T>(owned.share());
}

}  // namespace v0
}  // namespace corolith
