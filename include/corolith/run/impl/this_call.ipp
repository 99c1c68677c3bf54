// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker_context.hpp>
#include <corolith/core/error.hpp>
#include <corolith/run/detail/large_values.hpp>
#include <corolith/run/detail/nested_messages.hpp>
#include <corolith/run/detail/run_store.hpp>
#include <corolith/run/this_call.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The executor of calls that make calls: everything goes up to the driver through the agent. One for all slots of a worker; each batch
/// goes the way of the slot that opened it.
class nested_backend : public backend, public std::enable_shared_from_this<nested_backend> {
 public:
  static std::shared_ptr<nested_backend> of_this_worker() {
    static const std::shared_ptr<nested_backend> instance = [] {
      auto made = std::make_shared<nested_backend>();
      own_uplink()->set_handler([made](wire::message_type type, shared_bytes body) { made->received(type, body); });
      agent::on_call_end([](const call_id& id) noexcept { of_this_worker()->call_ended(id); });
      return made;
    }();
    return instance;
  }

  std::uint64_t open(std::shared_ptr<batch_link> link, batch_request request) override {
    const agent::current_call* caller = agent::current();
    const std::shared_ptr<agent::uplink> up = own_uplink();
    nested_open asked;
    asked.function = request.function;
    asked.shared = std::move(request.shared);
    asked.limits = std::move(request.limits);
    asked.retries = request.retries;
    asked.lazy = request.lazy;
    const call_id by = caller != nullptr ? caller->id : call_id();
    std::lock_guard lock(mutex_);
    asked.batch = next_++;
    // From its first open batch to the end of its last: the caller is taken to wait.
    if (caller != nullptr && ++open_of_[by] == 1) {
      ++callers_;
      up->blocked(by);
    }
    batches_.emplace(asked.batch, opened{std::move(link), up, by});
    up->send_up(wire::message_type::batch_open, {}, wire::pack(asked));
    return asked.batch;
  }

  void feed(std::uint64_t batch, element_block block, bool last) override {
    const std::shared_ptr<agent::uplink> up = uplink_of(batch);
    if (up && block.count() != 0) up->send_up(wire::message_type::call, {}, pack_elements(batch, block));
    if (up && last) up->send_up(wire::message_type::batch_close, bytes_of(batch));
  }
  void consumed(std::uint64_t batch, std::uint32_t count) override {
    if (const auto up = uplink_of(batch))
      up->send_up(wire::message_type::returned, bytes_of(nested_count{batch, count, 0}));
  }
  void cancel(std::uint64_t batch, std::optional<std::uint32_t> index) override {
    if (const auto up = uplink_of(batch)) send_cancel(*up, batch, index.value_or(every_index));
  }
  void cancel_all() override {
    std::lock_guard lock(mutex_);
    for (const auto& [batch, known] : batches_) send_cancel(*known.up, batch, every_index);
  }
  void close() override {}  // the agents are the driver's

 private:
  /// Of the slot that this thread runs the calls of.
  static std::shared_ptr<agent::uplink> own_uplink() {
    if (agent::uplink* up = agent::worker_uplink()) return up->shared_from_this();
    throw error(errc::misuse,
                "where slots are threads (isolation = thread), calls can be made only on the thread that runs the "
                "call: make them "
                "there, and hand their futures to other threads");
  }
  static void send_cancel(agent::uplink& up, std::uint64_t batch, std::uint32_t index) {
    up.send_up(wire::message_type::cancel, bytes_of(call_id{batch, index, 0}));
  }

  // On a reading thread of the worker.
  void received(wire::message_type type, const shared_bytes& body) {
    const auto batch = type == wire::message_type::result ? wire::read_head<nested_result>(body).head.id.batch
                                                          : wire::read_head<std::uint64_t>(body);
    const std::shared_ptr<batch_link> link = find(batch);
    if (!link) return;
    switch (type) {
      case wire::message_type::started: return link->want_input(wire::read_head<nested_count>(body).count);
      case wire::message_type::result: link->finished(unpack_outcome(body)); return link->settle(false);
      case wire::message_type::batch_close: forget(batch); return link->settle(true);
      case wire::message_type::agent_failed: {
        forget(batch);
        const shared_bytes text = wire::after_head<std::uint64_t>(body);
        return link->abandoned(std::make_exception_ptr(
            error(errc::closed, std::string(reinterpret_cast<const char*>(text.data()), text.size()))));
      }
      default: throw error(errc::protocol, "the driver sent a nested message of an unknown type");
    }
  }

  // What a call leaves behind goes on without it, wherever its worker goes; nobody will hear of the results.
  void call_ended(const call_id& caller) noexcept {
    if (callers_ == 0) return;  // this thread's calls are counted, and of no other is the end
    std::vector<std::shared_ptr<batch_link>> left;
    {
      std::lock_guard lock(mutex_);
      if (open_of_.erase(caller) == 0) return;
      --callers_;
      for (auto known = batches_.begin(); known != batches_.end();) {
        if (known->second.by != caller) {
          ++known;
          continue;
        }
        try {
          known->second.up->send_up(wire::message_type::goodbye, bytes_of(known->first));
        } catch (const error&) {  // the agent is gone, and this process ends
        }
        left.push_back(std::move(known->second.link));
        known = batches_.erase(known);
      }
    }
    for (const auto& link : left)
      link->abandoned(std::make_exception_ptr(error(errc::closed, "the call that made this one has ended")));
  }

  // Null when the batch is over, and nobody is interested in what is said of it.
  std::shared_ptr<agent::uplink> uplink_of(std::uint64_t batch) {
    std::lock_guard lock(mutex_);
    const auto found = batches_.find(batch);
    return found == batches_.end() ? nullptr : found->second.up;
  }
  std::shared_ptr<batch_link> find(std::uint64_t batch) {
    std::lock_guard lock(mutex_);
    const auto found = batches_.find(batch);
    return found == batches_.end() ? nullptr : found->second.link;
  }
  void forget(std::uint64_t batch) {
    std::lock_guard lock(mutex_);
    const auto found = batches_.find(batch);
    if (found == batches_.end()) return;
    const auto caller = open_of_.find(found->second.by);
    const std::shared_ptr<agent::uplink> up = std::move(found->second.up);
    batches_.erase(found);
    if (caller == open_of_.end() || --caller->second != 0) return;
    up->unblocked(caller->first);  // of no effect when that call has ended before the calls that it made
    open_of_.erase(caller);
    --callers_;
  }

  struct opened {
    std::shared_ptr<batch_link> link;
    std::shared_ptr<agent::uplink> up;
    call_id by;  // zeros: no call's, but a thread's that outlived its call
  };

  std::mutex mutex_;
  std::atomic<std::size_t> callers_{0};  // of open_of_
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, opened> batches_;
  std::map<call_id, std::size_t> open_of_;  // how many batches a call has open
};

}  // namespace detail

COROLITH_DECL corolith::executor call_context::executor() const {
  const std::shared_ptr<detail::run_store>& values = detail::run_store::of_worker();
  static const std::shared_ptr<detail::backend> where =
      values ? detail::through_store(detail::nested_backend::of_this_worker(), values, false)
             : std::shared_ptr<detail::backend>(detail::nested_backend::of_this_worker());
  return corolith::executor(where, values);
}

COROLITH_DECL const corolith::store& call_context::store() const {
  const std::shared_ptr<detail::run_store>& values = detail::run_store::of_worker();
  if (!values) throw error(errc::misuse, "this call has no store: its worker was not told of one");
  return values->objects();
}

COROLITH_DECL call_context this_call() {
  const agent::current_call* call = agent::current();
  if (call == nullptr)
    throw error(errc::misuse,
                agent::in_worker()
                    ? "this_call() has a meaning only inside a remote function and, where slots are threads "
                      "(isolation = thread), on the thread that runs it: hand its value to other threads"
                    : "this_call() has a meaning only inside a remote function");
  return {call->id, call->host, call->stop};
}

}  // namespace v0
}  // namespace corolith
