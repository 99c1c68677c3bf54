// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/detail/foreign.hpp>
#include <corolith/coro/detail/trampoline.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

namespace corolith {
inline namespace v0 {
namespace detail {

class group;

/// A coroutine of a group, which owns nothing of its own: the last one to end resumes the coroutine that awaits the
/// group.
class group_member {
 public:
  class promise_type : public awaits_anything {
   public:
    group_member get_return_object() noexcept {
      return group_member(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    struct finish {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept;
      void await_resume() const noexcept {}
    };
    finish final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // members catch everything

    group* owner = nullptr;
    ready_coroutine node;
  };

  group_member(group_member&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  group_member& operator=(group_member&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~group_member() {
    if (coroutine_) coroutine_.destroy();
  }

 private:
  friend class group;
  explicit group_member(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

/// Several coroutines that run between the suspension and the resumption of one, with a stop source of their own.
class group {
 public:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  /// `co_await group.run(members)`: starts them in order and resumes when all have ended.
  auto run(std::span<group_member> members) noexcept { return run_awaiter(*this, members); }

  void request_stop() noexcept { stop_.request_stop(); }

  /// True for the first caller only: `index` is the one that counts.
  bool decide(std::size_t index) noexcept {
    std::size_t expected = nobody;
    return decided_.compare_exchange_strong(expected, index, std::memory_order_acq_rel);
  }
  std::size_t decided() const noexcept { return decided_.load(std::memory_order_acquire); }

  std::exception_ptr error;  ///< whoever was first to decide writes it

 private:
  class run_awaiter : public native_awaiter {
   public:
    run_awaiter(group& owner, std::span<group_member> members) noexcept : owner_(owner), members_(members) {}

    bool await_ready() const noexcept { return members_.empty(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
      owner_.parent_ = parent;
      owner_.running_.store(members_.size() + 1, std::memory_order_relaxed);
      ready_coroutine* last = nullptr;
      for (group_member& member : members_) {
        auto& promise = member.coroutine_.promise();
        promise.home = &home_of(parent);
        promise.stop = owner_.stop_.get_token();
        promise.owner = &owner_;
        promise.node.handle = member.coroutine_;
        if (last != nullptr) last->next = &promise.node;
        last = &promise.node;
      }
      std::atomic<std::size_t>& running = owner_.running_;
      start_all(parent, &members_.front().coroutine_.promise().node, last);
      return running.fetch_sub(1, std::memory_order_acq_rel) != 1;
    }
    void await_resume() const noexcept {}

   private:
    group& owner_;
    std::span<group_member> members_;
  };

  void arrive(std::coroutine_handle<> self) noexcept {
    std::coroutine_handle<> parent = parent_;
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) transfer(self, parent);
  }

  std::stop_source stop_;
  std::coroutine_handle<> parent_;
  std::atomic<std::size_t> running_{0};
  std::atomic<std::size_t> decided_{nobody};

  friend struct group_member::promise_type::finish;
};

inline void group_member::promise_type::finish::await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
  self.promise().owner->arrive(self);
}

/// Passes a stop request of the awaiting task on to a group.
struct stop_group {
  group* owner;
  void operator()() const noexcept { owner->request_stop(); }
};

/// How a group keeps the value of an awaitable.
template <class A>
using group_value_t =
    std::conditional_t<std::is_void_v<await_result_t<A>>, std::monostate, std::remove_cv_t<await_result_t<A>>>;

/// Something that a group can await: its value must be one that can be kept.
template <class A>
concept groupable = awaitable<A> && !std::is_reference_v<await_result_t<A>>;

}  // namespace detail
}  // namespace v0
}  // namespace corolith
