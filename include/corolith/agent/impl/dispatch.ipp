// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/dispatch.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

using wire::message_type;
using wire::outcome_kind;

// Handing a call to a worker and taking its result costs about this much on both sides together, however short it is.
inline constexpr double least_call_ns = 2000;

COROLITH_DECL dispatcher::dispatcher(dispatch_settings settings, node_capacity node, dispatch_actions& actions)
    : settings_(settings), slots_(std::move(node)), actions_(actions) {}

COROLITH_DECL void dispatcher::prestart(steady_time) {
  kind_state& plain = kind_of({});
  while (auto share = slots_.acquire(1, 0)) start(plain, *share);
}

// --- batches and calls --------------------------------------------------------------------------------------------------

COROLITH_DECL dispatcher::kind_state& dispatcher::kind_of(const wire::call_limits& limits) {
  worker_kind kind{limits.environment, std::clamp<std::uint32_t>(limits.cpus, 1, std::max(1U, slots_.capacity().cpus)),
                   std::min(limits.gpus, slots_.gpus())};
  // What the kernel and CUDA know of processes only.
  kind.alone = !settings_.threads || kind.gpus != 0 || limits.memory != 0;
  for (kind_state& known : kinds_)
    if (known.kind == kind) return known;
  kinds_.emplace_back();
  kinds_.back().kind = std::move(kind);
  return kinds_.back();
}

COROLITH_DECL dispatcher::batch* dispatcher::find_batch(std::uint64_t id) {
  if (last_batch_ != nullptr && last_batch_->id == id) return last_batch_;
  const auto found = batches_.find(id);
  if (found == batches_.end()) return nullptr;
  return last_batch_ = found->second.get();
}

COROLITH_DECL dispatcher::worker* dispatcher::find_worker(worker_number number) {
  if (last_worker_ != nullptr && last_worker_->number == number) return last_worker_;
  const auto found = workers_.find(number);
  if (found == workers_.end()) return nullptr;
  return last_worker_ = found->second.get();
}

COROLITH_DECL void dispatcher::open_batch(const shared_bytes& body) {
  const auto opened = codec::decode_all<wire::batch_open>(body);
  auto& place = batches_[opened.batch];
  if (place != nullptr) {  // opened again while its last calls are being cleared away
    place->closed = false;
    return;
  }
  place = std::make_unique<batch>();
  place->id = opened.batch;
  place->body = body;
  place->limits = opened.limits;
  place->kind = &kind_of(opened.limits);
}

COROLITH_DECL void dispatcher::close_batch(std::uint64_t id) {
  batch* of = find_batch(id);
  if (of == nullptr) return;
  of->closed = true;
  if (of->calls == 0) forget_batch(*of);
}

COROLITH_DECL void dispatcher::forget_batch(batch& of) {
  const std::uint64_t id = of.id;
  const shared_bytes body = wire::pack(wire::batch_close{id});
  for (worker* each : of.kind->workers)
    if (std::erase(each->opened, id) != 0 && each->at == phase::ready)
      actions_.send(each->number, message_type::batch_close, body);
  last_batch_ = nullptr;
  batches_.erase(id);
}

COROLITH_DECL void dispatcher::call_ended(batch& of) {
  if (--of.calls == 0 && of.closed) forget_batch(of);
}

COROLITH_DECL void dispatcher::add_call(shared_bytes body) {
  const auto id = wire::read_head<call_id>(body);
  batch* of = find_batch(id.batch);
  if (of == nullptr) {
    actions_.fail(id, outcome_kind::codec, "a call of a batch that was not opened on this agent", 0, nullptr);
    return;
  }
  ++of->calls;
  ++pending_;
  entry& call = of->kind->pending.emplace_back();
  call.id = id;
  call.body = std::move(body);
  call.of = of;
  call.arrival = next_arrival_++;
}

COROLITH_DECL void dispatcher::cancel(const call_id& id, steady_time now) {
  batch* of = find_batch(id.batch);
  if (of == nullptr) return;
  auto& pending = of->kind->pending;
  const auto waiting = std::find_if(pending.begin(), pending.end(), [&](const entry& call) { return call.id == id; });
  if (waiting != pending.end()) {
    pending.erase(waiting);
    --pending_;
    actions_.fail(id, outcome_kind::cancelled, "cancelled before it started", 0, nullptr);
    call_ended(*of);
    return;
  }
  for (worker* each : of->kind->workers)
    for (entry& call : each->queue)
      if (call.id == id) return ask_to_stop(*each, call, outcome_kind::cancelled, now);
}

COROLITH_DECL void dispatcher::cancel_all(steady_time now) {
  std::vector<call_id> ids;
  for (const kind_state& kind : kinds_) {
    for (const entry& call : kind.pending) ids.push_back(call.id);
    for (const worker* each : kind.workers)
      for (const entry& call : each->queue) ids.push_back(call.id);
  }
  for (const call_id& id : ids) cancel(id, now);
}

// The first verdict stays: a call that is cancelled after its timeout has timed out.
COROLITH_DECL void dispatcher::ask_to_stop(worker& of, entry& call, outcome_kind verdict, steady_time now) {
  if (call.verdict) return;
  call.verdict = verdict;
  call.stop_asked = now;
  actions_.send(of.number, message_type::cancel, shared_bytes::copy(bytes_of(call.id)));
  if (&call == &of.queue.front()) {
    of.kill_at = now + settings_.grace;
    wake_by(of.kill_at);
  }
}

COROLITH_DECL void dispatcher::recall(const call_id& id) {
  batch* of = find_batch(id.batch);
  if (of == nullptr) return;
  auto& pending = of->kind->pending;
  const auto waiting = std::find_if(pending.begin(), pending.end(), [&](const entry& call) { return call.id == id; });
  if (waiting != pending.end()) {
    pending.erase(waiting);
    --pending_;
    actions_.tell_driver(message_type::returned, id);
    call_ended(*of);
    return;
  }
  for (worker* each : of->kind->workers)
    for (std::size_t i = 1; i < each->queue.size(); ++i) {
      entry& call = each->queue[i];
      if (call.id != id) continue;
      call.for_driver = true;
      if (!call.recalled) actions_.send(each->number, message_type::recall, shared_bytes::copy(bytes_of(id)));
      call.recalled = true;
      return;
    }
}

// --- workers ------------------------------------------------------------------------------------------------------------

COROLITH_DECL void dispatcher::start(kind_state& kind, const slot_share& share) {
  auto made = std::make_unique<worker>();
  made->number = next_worker_++;
  made->kind = &kind;
  made->share = share;
  kind.workers.push_back(made.get());
  ++kind.starting;
  const worker_number number = made->number;
  workers_.emplace(number, std::move(made));
  actions_.start_worker(number, kind.kind, share);
}

COROLITH_DECL void dispatcher::worker_ready(worker_number number, steady_time now) {
  worker* of = find_worker(number);
  if (of == nullptr || of->at != phase::starting) return;
  of->at = phase::ready;
  of->idle_since = now;
  --of->kind->starting;
  of->kind->failed_starts = 0;
  any_worker_came_up_ = true;
}

COROLITH_DECL void dispatcher::retire(worker& idle, steady_time now) {
  idle.at = phase::stopping;
  idle.kill_at = now + settings_.grace;
  wake_by(idle.kill_at);
  if (std::exchange(idle.holds_share, false)) slots_.release(idle.share);
  actions_.stop_worker(idle.number);
}

COROLITH_DECL void dispatcher::worker_gone(worker_number number, const worker_death& death, steady_time) {
  const auto found = workers_.find(number);
  if (found == workers_.end()) return;
  const std::unique_ptr<worker> of = std::move(found->second);
  workers_.erase(found);
  last_worker_ = nullptr;
  kind_state& kind = *of->kind;
  std::erase(kind.workers, of.get());
  if (of->holds_share) slots_.release(of->share);
  if (of->memory != 0) slots_.release_memory(of->memory);
  if (of->at == phase::starting && death.bystander) {
    --kind.starting;
  } else if (of->at == phase::starting) {
    --kind.starting;
    if (++kind.failed_starts >= settings_.start_attempts)
      start_failed(kind);
    else if (!any_worker_came_up_ && kind.starting == 0)
      start_again(kind);  // so that it shows soon whether any will
  }
  settle_losses(*of, death);
}

// The call that ran is to blame, unless it was that of another worker in the same process. What waited behind it did not run, or its
// result was lost with the worker: it runs again, like what a bystander ran.
COROLITH_DECL void dispatcher::settle_losses(worker& of, const worker_death& death) {
  std::deque<entry> queue = std::move(of.queue);
  const bool known = death.running && std::any_of(queue.begin(), queue.end(),
                                                  [&](const entry& call) { return call.id == *death.running; });
  for (std::size_t i = queue.size(); i-- > 0;) {
    entry& call = queue[i];
    batch& its = *call.of;
    const bool blamed = !death.bystander && (known ? call.id == *death.running : (i == 0 && ++call.losses >= 3));
    if (blamed || call.verdict) {
      actions_.fail(call.id, call.verdict.value_or(outcome_kind::worker_lost), {}, of.number, &death);
      call_ended(its);
    } else if (call.for_driver) {
      actions_.tell_driver(message_type::returned, call.id);
      call_ended(its);
    } else {
      ++pending_;
      call.recalled = false;
      requeue(*of.kind, std::move(call));
    }
  }
}

// Behind the calls that came earlier: what comes back from a worker is older than nearly all that waits.
COROLITH_DECL void dispatcher::requeue(kind_state& kind, entry&& call) {
  auto place = kind.pending.begin();
  while (place != kind.pending.end() && place->arrival < call.arrival) ++place;
  kind.pending.insert(place, std::move(call));
}

COROLITH_DECL void dispatcher::start_again(kind_state& kind) {
  if (auto share = slots_.acquire(kind.kind.cpus, kind.kind.gpus)) start(kind, *share);
}

COROLITH_DECL void dispatcher::start_failed(kind_state& kind) {
  if (!any_worker_came_up_) return actions_.give_up();
  kind.failed_starts = 0;
  std::deque<entry> calls = std::move(kind.pending);
  kind.pending.clear();
  pending_ -= calls.size();
  for (entry& call : calls) {
    actions_.fail(call.id, outcome_kind::worker_lost,
                  "no worker with the environment and resources of this call comes up", 0, nullptr);
    call_ended(*call.of);
  }
}

COROLITH_DECL void dispatcher::head_changed(worker& of, steady_time now) {
  of.head_since = now;
  of.head_reported = false;
  of.deadline = of.kill_at = steady_time::max();
  if (of.queue.empty()) return;
  const entry& head = of.queue.front();
  if (head.verdict) of.kill_at = std::max(now, head.stop_asked) + settings_.grace;
  const std::int64_t timeout = head.of->limits.timeout_ns;
  if (timeout > 0 && !head.verdict) of.deadline = now + nanoseconds(timeout);
  wake_by(std::min({of.kill_at, of.deadline, now + settings_.settle}));
}

COROLITH_DECL void dispatcher::became_idle(worker& of, steady_time now) {
  of.idle_since = now;
  if (of.memory != 0) set_memory(of, 0);
  // Workers that were started while others were blocked are too many once those go on.
  if (slots_.over_committed() && of.at == phase::ready) retire(of, now);
}

COROLITH_DECL dispatcher::entry dispatcher::take_out(worker& of, std::size_t position, steady_time now) {
  entry call = std::move(of.queue[position]);
  of.queued_bytes -= call.body.size();
  if (position == 0) {
    of.queue.pop_front();
    if (std::exchange(of.is_blocked, false) && !of.holds_share) {
      slots_.take_back(of.share);
      of.holds_share = true;
    }
    head_changed(of, now);
  } else {
    of.queue.erase(of.queue.begin() + static_cast<std::ptrdiff_t>(position));
  }
  if (of.queue.empty()) became_idle(of, now);
  return call;
}

COROLITH_DECL std::optional<outcome_kind> dispatcher::finished(worker_number number, const wire::result_head& head,
                                                               steady_time now) {
  worker* of = find_worker(number);
  if (of == nullptr) return std::nullopt;
  std::size_t position = 0;
  while (position < of->queue.size() && of->queue[position].id != head.id) ++position;
  if (position == of->queue.size()) return std::nullopt;
  const entry call = take_out(*of, position, now);
  batch& its = *call.of;
  if (const auto taken = static_cast<double>(head.ended_ns - head.started_ns); head.started_ns != 0 && taken >= 0)
    its.average_ns = its.average_ns < 0 ? taken : its.average_ns * 0.9 + taken * 0.1;
  outcome_kind kind = head.kind;
  if (call.verdict == outcome_kind::timeout) kind = outcome_kind::timeout;
  call_ended(its);
  return kind;
}

COROLITH_DECL void dispatcher::returned(worker_number number, const call_id& id, steady_time now) {
  worker* of = find_worker(number);
  if (of == nullptr) return;
  for (std::size_t i = 0; i < of->queue.size(); ++i) {
    if (of->queue[i].id != id) continue;
    entry call = take_out(*of, i, now);
    batch& its = *call.of;
    if (call.verdict) {
      actions_.fail(id, *call.verdict, "cancelled before it started", 0, nullptr);
      call_ended(its);
    } else if (call.for_driver) {
      actions_.tell_driver(message_type::returned, id);
      call_ended(its);
    } else {
      ++pending_;
      call.recalled = false;
      requeue(*of->kind, std::move(call));
    }
    return;
  }
}

COROLITH_DECL void dispatcher::blocked(worker_number number, const call_id& id, steady_time) {
  worker* of = find_worker(number);
  if (of == nullptr || of->queue.empty() || of->queue.front().id != id || of->is_blocked) return;
  of->is_blocked = true;
  if (std::exchange(of->holds_share, false)) slots_.release(of->share);
  recall_queue(*of);
  actions_.tell_driver(message_type::blocked, id);
}

COROLITH_DECL void dispatcher::unblocked(worker_number number, const call_id& id, steady_time) {
  worker* of = find_worker(number);
  if (of == nullptr || !of->is_blocked || of->queue.front().id != id) return;
  of->is_blocked = false;
  if (!std::exchange(of->holds_share, true)) slots_.take_back(of->share);
  actions_.tell_driver(message_type::unblocked, id);
}

COROLITH_DECL void dispatcher::over_memory(worker_number number) {
  worker* of = find_worker(number);
  if (of == nullptr) return;
  if (!of->queue.empty() && !of->queue.front().verdict) of->queue.front().verdict = outcome_kind::memory;
  actions_.kill_worker(number);
}

COROLITH_DECL call_id dispatcher::head_of(worker_number number) const {
  const auto found = workers_.find(number);
  if (found == workers_.end() || found->second->queue.empty()) return {};
  return found->second->queue.front().id;
}

// --- handing out --------------------------------------------------------------------------------------------------------

// How many calls of the batch a worker may hold: the one that runs and about two milliseconds of work behind it, or one call that
// takes longer, so that it can start at once. It is taken back when another worker could start it sooner.
COROLITH_DECL std::size_t dispatcher::depth(const batch& of) const {
  if (of.limits.timeout_ns > 0) return 1;  // its time starts when it is handed out
  if (of.limits.chunk > 0) return std::min<std::size_t>(of.limits.chunk, settings_.most_queued);
  if (of.average_ns < 0) return 1;
  const double fit = static_cast<double>(settings_.queue_target.count()) / std::max(of.average_ns, least_call_ns);
  return std::min(settings_.most_queued, 1 + std::max<std::size_t>(1, static_cast<std::size_t>(fit)));
}

COROLITH_DECL bool dispatcher::may_take(const worker& candidate, const batch& of) const {
  if (candidate.at != phase::ready || candidate.is_blocked) return false;
  if (candidate.queue.empty()) return slots_.memory_fits(of.limits.memory);
  const entry& head = candidate.queue.front();
  return head.of->limits.timeout_ns <= 0 && !head.verdict && candidate.queue.size() < depth(of) &&
         of.limits.memory == head.of->limits.memory && candidate.queued_bytes < settings_.most_queued_bytes;
}

COROLITH_DECL bool dispatcher::set_memory(worker& of, std::uint64_t bytes) {
  slots_.release_memory(of.memory);
  of.memory = 0;
  if (!slots_.reserve_memory(bytes)) return false;
  of.memory = bytes;
  return true;
}

COROLITH_DECL void dispatcher::give(worker& to, entry&& call, steady_time now) {
  batch& its = *call.of;
  if (to.queue.empty()) {
    if (to.memory != its.limits.memory) set_memory(to, its.limits.memory);
    if (to.watched != its.limits.memory) actions_.watch_memory(to.number, to.watched = its.limits.memory);
  }
  if (std::find(to.opened.begin(), to.opened.end(), its.id) == to.opened.end()) {
    to.opened.push_back(its.id);
    actions_.send(to.number, message_type::batch_open, its.body);
  }
  actions_.send(to.number, message_type::call, call.body);
  to.queued_bytes += call.body.size();
  to.queue.push_back(std::move(call));
  --pending_;
  if (to.queue.size() == 1) head_changed(to, now);
}

// Places what it can of one kind; false when its oldest call waits for resources, so that younger calls of other kinds must
// not take them away for ever.
COROLITH_DECL bool dispatcher::place(kind_state& kind, steady_time now) {
  while (!kind.pending.empty()) {
    const batch& of = *kind.pending.front().of;
    worker* best = nullptr;
    std::size_t willing = 0;
    for (worker* each : kind.workers) {
      if (!may_take(*each, of)) continue;
      ++willing;
      if (best == nullptr || each->queue.size() < best->queue.size()) best = each;
    }
    if (best == nullptr) break;
    const bool would_wait = !best->queue.empty() && of.average_ns > static_cast<double>(settings_.settle.count());
    if (would_wait && (kind.starting > 0 || has_share(kind))) break;  // a new worker is sooner
    // Several at once, so that the search is not repeated for each of many short calls; still about even.
    const std::size_t room = best->queue.empty() ? 1 : depth(of) - best->queue.size();
    std::size_t count = std::clamp<std::size_t>(kind.pending.size() / (2 * willing), 1, std::max<std::size_t>(1, room));
    for (; count > 0 && !kind.pending.empty() && kind.pending.front().of == &of && may_take(*best, of); --count) {
      entry call = std::move(kind.pending.front());
      kind.pending.pop_front();
      give(*best, std::move(call), now);
    }
  }
  return kind.pending.empty() || start_for(kind, now);
}

COROLITH_DECL bool dispatcher::start_for(kind_state& kind, steady_time now) {
  if (!slots_.memory_fits(kind.pending.front().of->limits.memory)) return false;
  while (kind.starting < kind.pending.size()) {
    auto share = slots_.acquire(kind.kind.cpus, kind.kind.gpus);
    if (share)
      start(kind, *share);
    else if (!evict_for(kind, now))
      return kind.starting > 0;
  }
  return true;
}

// Stops the worker of another kind that has been idle for longest.
COROLITH_DECL bool dispatcher::evict_for(const kind_state& kind, steady_time now) {
  worker* oldest = nullptr;
  for (const auto& [number, each] : workers_) {
    if (each->kind == &kind || each->at != phase::ready || !each->queue.empty()) continue;
    if (oldest == nullptr || each->idle_since < oldest->idle_since) oldest = each.get();
  }
  if (oldest == nullptr) return false;
  retire(*oldest, now);
  return true;
}

COROLITH_DECL void dispatcher::dispatch(steady_time now) {
  if (pending_ != 0) hand_out(now);
  for (kind_state& kind : kinds_)
    for (worker* each : kind.workers)
      if (each->queue.size() > 1 && now >= each->head_since + settings_.settle) take_back(*each);
}

COROLITH_DECL void dispatcher::hand_out(steady_time now) {
  if (kinds_.size() == 1) {
    place(kinds_.front(), now);
    return;
  }
  std::vector<kind_state*> order;
  for (kind_state& kind : kinds_)
    if (!kind.pending.empty()) order.push_back(&kind);
  std::sort(order.begin(), order.end(), [](const kind_state* a, const kind_state* b) {
    return a->pending.front().arrival < b->pending.front().arrival;
  });
  for (kind_state* kind : order)
    if (!place(*kind, now)) return;
}

// --- time ---------------------------------------------------------------------------------------------------------------

COROLITH_DECL void dispatcher::recall_queue(worker& of) {
  for (std::size_t i = 1; i < of.queue.size(); ++i) {
    if (of.queue[i].recalled || of.queue[i].verdict) continue;
    of.queue[i].recalled = true;
    actions_.send(of.number, message_type::recall, shared_bytes::copy(bytes_of(of.queue[i].id)));
  }
}

// What waits behind a call that takes long, where somebody could start it at once.
COROLITH_DECL void dispatcher::take_back(worker& of) {
  const bool all_recalled = std::all_of(of.queue.begin() + 1, of.queue.end(),
                                        [](const entry& call) { return call.recalled || call.verdict; });
  if (!all_recalled && somebody_could_take(*of.kind, *of.queue[1].of)) recall_queue(of);
}

COROLITH_DECL bool dispatcher::somebody_could_take(const kind_state& kind, const batch& of) {
  if (!slots_.memory_fits(of.limits.memory)) return false;
  for (const worker* each : kind.workers)
    if (each->at == phase::ready && each->queue.empty()) return true;
  return has_share(kind);
}

COROLITH_DECL bool dispatcher::has_share(const kind_state& kind) {
  const auto share = slots_.acquire(kind.kind.cpus, kind.kind.gpus);
  if (share) slots_.release(*share);
  return share.has_value();
}

COROLITH_DECL steady_time dispatcher::tick_worker(worker& of, steady_time now) {
  if (now >= of.kill_at) {
    of.kill_at = steady_time::max();
    actions_.kill_worker(of.number);
  }
  if (of.queue.empty() || of.at != phase::ready) return of.kill_at;
  if (now >= of.deadline) {
    of.deadline = steady_time::max();
    ask_to_stop(of, of.queue.front(), outcome_kind::timeout, now);
  }
  const steady_time settled = of.head_since + settings_.settle;
  const steady_time next = std::min(of.kill_at, of.deadline);
  if (now < settled) return std::min(next, settled);
  if (!std::exchange(of.head_reported, true)) actions_.tell_driver(message_type::started, of.queue.front().id);
  if (of.queue.size() > 1) take_back(of);  // later, when somebody becomes idle: dispatch() looks
  return next;
}

COROLITH_DECL steady_time dispatcher::tick(steady_time now) {
  if (now >= next_tick_) {
    next_tick_ = steady_time::max();
    steady_time next = steady_time::max();
    for (const auto& [number, each] : workers_) next = std::min(next, tick_worker(*each, now));
    wake_by(next);
  }
  return next_tick_;
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
