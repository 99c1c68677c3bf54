// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/run/detail/driver_core.hpp>
#include <corolith/run/detail/nested_messages.hpp>

#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The driver's end of a batch that a call opened: everything goes back to the worker, through its agent.
class relay_link : public batch_link {
 public:
  relay_link(std::weak_ptr<agent_session> agent, std::uint64_t worker, std::uint64_t worker_batch)
      : agent_(std::move(agent)), worker_(worker), batch_(worker_batch) {}

  void want_input(std::uint32_t count) noexcept override {
    down(wire::message_type::started, bytes_of(nested_count{batch_, count, 0}));
  }
  void finished(call_outcome&& outcome) noexcept override {
    if (outcome.error) outcome = flatten(outcome);
    outcome.head.id.batch = batch_;
    down(wire::message_type::result, {}, pack_outcome(outcome));
  }
  void settle(bool done) noexcept override {
    if (!done) return;
    down(wire::message_type::batch_close, bytes_of(batch_));
    forget();
  }
  void abandoned(std::exception_ptr reason) noexcept override {
    std::string text = "the driver gave up";
    try {
      std::rethrow_exception(reason);
    } catch (const std::exception& e) {
      text = e.what();
    }
    down(wire::message_type::agent_failed, bytes_of(batch_), shared_bytes::copy(std::as_bytes(std::span(text))));
    forget();
  }

 private:
  // An exception object cannot travel; its text can.
  static call_outcome flatten(const call_outcome& outcome) {
    wire::failure failure;
    failure.type_name = "corolith::error";
    try {
      std::rethrow_exception(outcome.error);
    } catch (const std::exception& e) {
      failure.what = e.what();
    }
    call_outcome flat = outcome;
    flat.error = nullptr;
    flat.head.kind = wire::outcome_kind::exception;
    flat.payload = wire::pack(failure);
    return flat;
  }

  void forget() noexcept {
    if (const auto agent = agent_.lock()) agent->nested.erase({worker_, batch_});
  }

  void down(wire::message_type inner, byte_span head, shared_bytes tail = {}) {
    const auto agent = agent_.lock();
    if (!agent) return;
    byte_buffer start(sizeof worker_ + 1 + head.size());
    start.append_value(worker_);
    start.append_value(inner);
    start.append(head);
    agent->channel->send(wire::message_type::nested_down, start.span(), std::move(tail));
  }

  std::weak_ptr<agent_session> agent_;  // empty: nobody wants to hear of the batch
  std::uint64_t worker_;
  std::uint64_t batch_;
};

COROLITH_DECL void driver_core::nested_opened(agent_session& session, std::uint64_t worker, byte_span body) {
  auto asked = wire::unpack<nested_open>(body);
  const std::uint64_t batch = next_batch_.fetch_add(1, std::memory_order_relaxed);
  session.nested[{worker, asked.batch}] = batch;
  batch_request request;
  request.function = asked.function;
  request.shared = std::move(asked.shared);
  request.limits = std::move(asked.limits);
  request.retries = asked.retries;
  request.lazy = asked.lazy;
  request.nested = true;
  open(batch, std::make_shared<relay_link>(sessions_.at(session.id), worker, asked.batch), std::move(request));
}

COROLITH_DECL void driver_core::nested_left(std::uint64_t batch) {
  const auto found = batches_.find(batch);
  if (found == batches_.end()) return;
  found->second.link = std::make_shared<relay_link>(std::weak_ptr<agent_session>(), 0, 0);
  if (!found->second.input_ended) cancel(batch, std::nullopt);  // the rest of its input went with the call
}

COROLITH_DECL void driver_core::nested_up(agent_session& session, const wire::message& message) {
  const auto worker = wire::read_head<std::uint64_t>(message.body);
  const shared_bytes inner = wire::after_head<std::uint64_t>(message.body);
  const auto type = wire::read_head<wire::message_type>(inner);
  const shared_bytes body = wire::after_head<wire::message_type>(inner);
  if (type == wire::message_type::batch_open) return nested_opened(session, worker, body);
  const auto known = session.nested.find({worker, wire::read_head<std::uint64_t>(body)});
  if (known == session.nested.end()) return;  // its worker was lost meanwhile
  switch (type) {
    case wire::message_type::call: return feed(known->second, unpack_elements(body), false);
    case wire::message_type::batch_close: return feed(known->second, {}, true);
    case wire::message_type::goodbye: {
      const std::uint64_t batch = known->second;
      session.nested.erase(known);
      return nested_left(batch);
    }
    case wire::message_type::returned: return consumed(known->second, wire::read_head<nested_count>(body).count);
    case wire::message_type::cancel: {
      const auto id = wire::read_head<call_id>(body);
      return cancel(known->second, id.index == every_index ? std::nullopt : std::optional(id.index));
    }
    default: throw error(errc::protocol, "a worker sent a nested message of an unknown type");
  }
}

COROLITH_DECL void driver_core::nested_gone(agent_session& session, std::optional<std::uint64_t> worker) {
  std::erase_if(session.nested, [&](const auto& known) {
    if (worker && known.first.first != *worker) return false;
    cancel(known.second, std::nullopt);
    return true;
  });
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
