// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/codec/registry.hpp>
#include <corolith/corolith.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/messages.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench::scale {

class simulated_agent;

/// What runs in all the slots of all simulated agents of a process, by the time of its end.
class running_calls {
 public:
  using clock = std::chrono::steady_clock;

  explicit running_calls(asio::io_context& io) : timer_(io) {}

  void add(clock::time_point end, simulated_agent& on, std::uint32_t slot) {
    const bool first = calls_.empty() || end < calls_.top().end;
    calls_.push({end, &on, slot});
    if (first) wait();
  }

 private:
  struct one {
    clock::time_point end;
    simulated_agent* on;
    std::uint32_t slot;
    bool operator>(const one& other) const { return end > other.end; }
  };

  void wait() {
    timer_.expires_at(calls_.top().end);
    timer_.async_wait([this](const asio::error_code& problem) {
      if (!problem) end_those_due();
    });
  }
  inline void end_those_due();

  asio::steady_timer timer_;
  std::priority_queue<one, std::vector<one>, std::greater<>> calls_;
};

/// An agent as the driver sees one, with as many slots as it says, but without workers: it decodes a call, lets the time that its result
/// names go by, and answers. The process that makes it outlives its connection.
class simulated_agent {
 public:
  simulated_agent(corolith::wire::agent_hello hello, running_calls& running, std::function<void()> on_ready,
                  std::function<void()> on_gone)
      : hello_(std::move(hello)), running_(running), on_ready_(std::move(on_ready)), on_gone_(std::move(on_gone)) {
    for (std::uint32_t number = hello_.cpus; number > 0; --number) free_.push_back(number - 1);
    slots_.resize(hello_.cpus);
  }
  simulated_agent(const simulated_agent&) = delete;
  simulated_agent& operator=(const simulated_agent&) = delete;

  void start(std::shared_ptr<corolith::wire::channel> driver) {
    driver_ = std::move(driver);
    corolith::wire::channel::events handlers;
    handlers.on_message = [this](corolith::wire::message&& got) { take(std::move(got)); };
    handlers.on_batch_end = [this] { run_waiting(); };
    handlers.on_close = [this](const std::exception_ptr&) { on_gone_(); };
    driver_->start(std::move(handlers));
    driver_->send(corolith::wire::message_type::agent_hello, corolith::wire::pack(hello_));
  }

  /// A call has run for as long as it should.
  void finish(std::uint32_t number) {
    answer(number);
    free_.push_back(number);
    run_waiting();
  }

 private:
  struct batch {
    corolith::codec::thunk run = nullptr;
    corolith::shared_bytes shared;
    std::shared_ptr<void> decoded;
  };
  struct waiting_call {
    corolith::call_id id;
    corolith::shared_bytes body;
  };
  struct slot {
    corolith::wire::result_head head;
    corolith::byte_buffer value;
  };

  static std::int64_t now_ns() {
    using namespace std::chrono;
    return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  }

  void take(corolith::wire::message&& got) {
    using corolith::wire::message_type;
    switch (got.type) {
      case message_type::welcome: {
        const auto told = corolith::wire::unpack<corolith::wire::welcome>(got.body);
        driver_->keep_alive(std::chrono::milliseconds(told.heartbeat_ms), std::chrono::milliseconds(told.silence_ms));
        driver_->send(message_type::agent_ready, corolith::wire::pack(corolith::wire::agent_ready{}));
        return on_ready_();
      }
      case message_type::batch_open: {
        auto opened = corolith::codec::decode_all<corolith::wire::batch_open>(got.body);
        batches_[opened.batch] = {corolith::codec::find_function(opened.function), std::move(opened.shared), nullptr};
        return;
      }
      case message_type::batch_close:
        batches_.erase(corolith::wire::unpack<corolith::wire::batch_close>(got.body).batch);
        return;
      case message_type::call:
        waiting_.push_back({corolith::wire::read_head<corolith::call_id>(got.body), std::move(got.body)});
        return;
      case message_type::recall:
      case message_type::cancel: return give_back(corolith::wire::read_head<corolith::call_id>(got.body));
      case message_type::shutdown: return driver_->close_when_sent();
      default: return;
    }
  }

  void give_back(const corolith::call_id& id) {
    const auto found =
        std::find_if(waiting_.begin(), waiting_.end(), [&](const waiting_call& one) { return one.id == id; });
    if (found == waiting_.end()) return;
    waiting_.erase(found);
    driver_->send(corolith::wire::message_type::returned, corolith::shared_bytes::copy(corolith::bytes_of(id)));
  }

  void run_waiting() {
    while (!waiting_.empty() && !free_.empty()) {
      const waiting_call call = std::move(waiting_.front());
      waiting_.pop_front();
      run(call, free_.back());
    }
  }

  void run(const waiting_call& call, std::uint32_t number) {
    slot& at = slots_[number];
    batch& of = batches_.at(call.id.batch);
    at.head = {};
    at.head.id = call.id;
    at.head.pid = static_cast<std::int32_t>(number) + 1;
    at.head.started_ns = now_ns();
    at.value.clear();
    corolith::codec::invocation work{of.shared.span(), call.body.span().subspan(sizeof(corolith::call_id)), at.value,
                                     &of.decoded};
    of.run(work);
    const auto seconds = corolith::codec::decode_all<double>(at.value.span());
    if (seconds <= 0) return answer(number);
    free_.pop_back();
    running_.add(running_calls::clock::now() +
                     std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)),
                 *this, number);
  }

  void answer(std::uint32_t number) {
    slot& at = slots_[number];
    at.head.ended_ns = now_ns();
    corolith::byte_buffer body(sizeof at.head + at.value.size());
    body.append(corolith::bytes_of(at.head));
    body.append(at.value.span());
    driver_->send(corolith::wire::message_type::result, body.release());
  }

  corolith::wire::agent_hello hello_;
  running_calls& running_;
  std::function<void()> on_ready_, on_gone_;
  std::shared_ptr<corolith::wire::channel> driver_;
  std::unordered_map<std::uint64_t, batch> batches_;
  std::deque<waiting_call> waiting_;
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
};

inline void running_calls::end_those_due() {
  const clock::time_point now = clock::now();
  while (!calls_.empty() && calls_.top().end <= now) {
    const one due = calls_.top();
    calls_.pop();
    due.on->finish(due.slot);
  }
  if (!calls_.empty()) wait();
}

}  // namespace bench::scale
