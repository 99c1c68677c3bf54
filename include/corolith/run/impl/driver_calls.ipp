// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/run/detail/driver_core.hpp>
#include <corolith/run/detail/outcome.hpp>

#include <fmt/format.h>

#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

inline constexpr std::uint32_t poison_after = schedule::settings{}.poison_after;

COROLITH_DECL void driver_core::open(std::uint64_t batch, std::shared_ptr<batch_link> link, batch_request request) {
  if (failed_) return link->abandoned(failed_);
  schedule::batch_options how;
  how.need = {request.limits.cpus, request.limits.gpus, request.limits.memory};
  how.retries = request.retries;
  how.chunk = request.limits.chunk;
  how.exclusive_dispatch = request.limits.timeout_ns != 0;
  how.function = (request.function.module ^ (request.function.offset * 0x9e3779b97f4a7c15)) | 1;
  how.priority = request.nested ? 4 : 1;  // somebody who holds a worker waits for them
  scheduler_.batch_added(batch, how);
  batch_entry& entry = batches_[batch];
  entry.link = std::move(link);
  entry.size = request.size.value_or(0);
  entry.nested = request.nested;
  entry.limits = request.limits;
  wire::batch_open opened;
  opened.batch = batch;
  opened.function = request.function;
  opened.limits = std::move(request.limits);
  opened.shared = entry.shared = std::move(request.shared);
  entry.opened = wire::pack_front(opened);
}

COROLITH_DECL void driver_core::feed(std::uint64_t batch, element_block block, bool last) {
  const auto found = batches_.find(batch);
  if (found == batches_.end()) return;
  batch_entry& entry = found->second;
  const std::uint32_t count = block.count();
  if (count != 0 && block.first > entry.next) scheduler_.input_skipped(batch, block.first - entry.next);
  if (count != 0) entry.next = block.first + count;
  if (count != 0 && scheduler_.input_available(batch, count, block.largest()) == count) {
    entry.elements.add(std::move(block), clock_.now().system_ns);
    entry.fed += count;
  }
  if (last && !entry.input_ended) {
    entry.input_ended = true;
    scheduler_.input_ended(batch);
  }
}

COROLITH_DECL void driver_core::consumed(std::uint64_t batch, std::uint32_t count) {
  scheduler_.consumed(batch, count);
}

COROLITH_DECL void driver_core::cancel(std::uint64_t batch, std::optional<std::uint32_t> index) {
  const auto found = batches_.find(batch);
  if (found == batches_.end()) return;
  if (index) return scheduler_.cancel_call(batch, *index);
  found->second.input_ended = true;
  scheduler_.cancel_batch(batch);
}

COROLITH_DECL void driver_core::cancel_all() {
  for (auto& [batch, entry] : batches_) {
    entry.input_ended = true;
    scheduler_.cancel_batch(batch);
  }
}

COROLITH_DECL void driver_core::result(agent_session& session, wire::message&& message) {
  const auto head = wire::read_head<wire::result_head>(message.body);
  const auto found = batches_.find(head.id.batch);
  if (found == batches_.end()) return;  // the batch is over: a late result of an older attempt
  const auto verdict = scheduler_.finished(session.id, head.id, static_cast<schedule::outcome_kind>(head.kind),
                                           std::max<std::int64_t>(0, head.ended_ns - head.started_ns),
                                           clock_.now_after(head.ended_ns).steady_ns);
  if (launcher_->elastic()) measure(head);
  using schedule::verdict::deliver, schedule::verdict::failed;
  if (verdict != deliver && verdict != failed) return;
  call_outcome outcome;
  outcome.head = head;
  outcome.payload = wire::after_head<wire::result_head>(std::move(message.body));
  outcome.host = session.host;
  if (verdict == failed) {
    last_losses_.insert_or_assign(call_id{head.id.batch, head.id.index, 0}, std::move(outcome));
  } else {
    deliver_outcome(found->second, std::move(outcome));
  }
}

COROLITH_DECL void driver_core::deliver_outcome(batch_entry& entry, call_outcome&& outcome) {
  outcome.received_ns = clock_.now_after(outcome.head.ended_ns).system_ns;
  entry.elements.end(outcome);
  ++entry.ended;
  const bool cancelled = outcome.head.kind == wire::outcome_kind::cancelled && !outcome.error;
  const bool failed = outcome.head.kind != wire::outcome_kind::value && !cancelled;
  entry.failed += failed;
  if (!entry.nested) {
    all_ended_ += !cancelled;
    all_failed_ += failed;
  }
  if (!entry.touched) {
    entry.touched = true;
    touched_.push_back(outcome.head.id.batch);
  }
  entry.link->finished(std::move(outcome));
}

COROLITH_DECL void driver_core::execute_send(const schedule::command& command) {
  const auto session = sessions_.find(command.agent);
  const auto entry = batches_.find(command.id.batch);
  if (session == sessions_.end() || entry == batches_.end()) return;
  element_store& elements = entry->second.elements;
  elements.mark_sent(command.id.index, clock_.now().system_ns);
  session->second->channel->send(wire::message_type::call, bytes_of(command.id), elements.element(command.id.index));
}

COROLITH_DECL void driver_core::execute_fail(const schedule::command& command) {
  const auto entry = batches_.find(command.id.batch);
  if (entry == batches_.end()) return;
  call_outcome outcome = make_failure(command.id, wire::outcome_kind::cancelled, {});
  if (const auto loss = last_losses_.extract(call_id{command.id.batch, command.id.index, 0})) {
    outcome = std::move(loss.mapped());
    if (command.reason != schedule::fail_reason::poison) outcome.head.kind = wire::outcome_kind::cancelled;
  }
  if (command.reason == schedule::fail_reason::poison) {
    wire::failure failure = wire::unpack<wire::failure>(outcome.payload);
    failure.what = fmt::format("this call has killed {} workers, so it is not tried again", poison_after);
    outcome.payload = wire::pack(failure);
  }
  if (command.reason == schedule::fail_reason::cannot_fit)
    outcome.error = std::make_exception_ptr(
        error(errc::cannot_fit, "no agent is large enough for the cpus, gpus or memory that this call asks for"));
  deliver_outcome(entry->second, std::move(outcome));
}

COROLITH_DECL void driver_core::execute(const schedule::command& command) {
  using kind = schedule::command_kind;
  const auto on_agent = [&](wire::message_type type, byte_span body) {
    if (const auto found = sessions_.find(command.agent); found != sessions_.end())
      found->second->channel->send(type, body);
  };
  const auto entry = batches_.find(command.id.batch);
  switch (command.kind) {
    case kind::send: return execute_send(command);
    case kind::fail: return execute_fail(command);
    case kind::cancel: return on_agent(wire::message_type::cancel, bytes_of(command.id));
    case kind::recall: return on_agent(wire::message_type::recall, bytes_of(command.id));
    case kind::close_batch:
      return on_agent(wire::message_type::batch_close, wire::pack(wire::batch_close{command.id.batch}));
    case kind::open_batch:
      if (const auto session = sessions_.find(command.agent); session != sessions_.end() && entry != batches_.end())
        session->second->channel->send(wire::message_type::batch_open, entry->second.opened, entry->second.shared);
      return;
    case kind::want_input:
      if (entry != batches_.end()) entry->second.link->want_input(command.count);
      return;
    case kind::batch_done:
      if (entry == batches_.end()) return;
      entry->second.link->settle(true);
      scheduler_.batch_removed(command.id.batch);
      batches_.erase(entry);
      return;
  }
}

COROLITH_DECL void driver_core::pump() {
  for (;;) {
    std::vector<schedule::command>& commands = scheduler_.take_commands();
    if (commands.empty()) break;
    for (const schedule::command& command : commands) execute(command);
  }
  settle_touched();
  clock_.end_turn();
}

COROLITH_DECL void driver_core::settle_touched() {
  for (std::uint64_t batch : touched_)
    if (const auto found = batches_.find(batch); found != batches_.end()) {
      found->second.touched = false;
      found->second.link->settle(false);
    }
  touched_.clear();
}

COROLITH_DECL void driver_core::abandon_all(std::exception_ptr reason) {
  failed_ = reason;
  for (auto& [batch, entry] : batches_) {
    scheduler_.batch_removed(batch);
    entry.link->abandoned(reason);
  }
  batches_.clear();
  touched_.clear();
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
