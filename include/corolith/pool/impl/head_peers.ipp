// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/number.hpp>
#include <corolith/pool/detail/head_core.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

/// An agent that fails sooner than this has not done anything.
inline constexpr std::chrono::seconds early_end{5};
inline constexpr int failed_starts_allowed = 3;

COROLITH_DECL void head_core::accepted(std::shared_ptr<wire::channel> channel, wire::role as) {
  if (as != wire::role::resident && as != wire::role::client) return channel->close();
  const std::uint64_t id = ++last_id_;
  strangers_.emplace(id, channel);
  wire::channel::events events;
  events.on_message = [this, id](wire::message&& got) { received(id, std::move(got)); };
  events.on_batch_end = [this] { plan(); };
  events.on_close = [this, id](const std::exception_ptr& reason) { closed(id, reason); };
  channel->start(std::move(events));
  channel->keep_alive(std::chrono::seconds(2), std::chrono::seconds(60));
}

COROLITH_DECL void head_core::received(std::uint64_t id, wire::message&& got) {
  using type = wire::message_type;
  switch (got.type) {
    case type::pool_resident: return resident_came(id, wire::unpack<wire::pool_resident>(got.body));
    case type::pool_lease_ended: {
      const auto ended = wire::unpack<wire::pool_lease_ended>(got.body);
      return lease_ended(ended.lease, ended.reason);
    }
    case type::pool_ending:
      if (const auto found = nodes_.find(id); found != nodes_.end()) {
        found->second.ending = true;
        if (const auto of = jobs_.find(found->second.job); of != jobs_.end()) of->second.ending = true;
        log::info(fmt::format("{} gets no more calls: {}", found->second.hello.host,
                              wire::unpack<wire::pool_ending>(got.body).reason));
      }
      return;
    case type::pool_join: return driver_came(id, wire::unpack<wire::pool_join>(got.body));
    case type::pool_demand:
      if (const auto found = members_.find(id); found != members_.end())
        found->second.demand = wire::unpack<wire::pool_demand>(got.body);
      return;
    case type::pool_refused: {
      const auto refused = wire::unpack<wire::pool_refused>(got.body);
      return lease_refused(refused.lease, refused.reason);
    }
    case type::pool_ask: return answer(id, wire::unpack<wire::pool_ask>(got.body));
    case type::goodbye: return;
    default:
      throw error(errc::protocol,
                  fmt::format("a message of type {} is not for the head of a pool", static_cast<int>(got.type)));
  }
}

COROLITH_DECL void head_core::resident_came(std::uint64_t id, wire::pool_resident hello) {
  auto known = strangers_.extract(id);
  if (known.empty()) return;
  node& made = nodes_[id];
  made.id = id;
  made.channel = std::move(known.mapped());
  made.job = whole_number<std::uint64_t>(hello.job).value_or(0);
  made.hello = std::move(hello);
  const auto of = jobs_.find(made.job);
  made.ending = of == jobs_.end() || of->second.ending;
  if (made.ending || down_) made.channel->send(wire::message_type::shutdown);  // it comes too late
  log::info(fmt::format("{} is up: {} slots", made.hello.host, made.hello.cpus));
}

COROLITH_DECL void head_core::driver_came(std::uint64_t id, wire::pool_join join) {
  auto known = strangers_.extract(id);
  if (known.empty()) return;
  if (draining_ || down_) {
    wire::pool_news news;
    news.over = "it takes no more drivers, as it is being taken down";
    known.mapped()->send(wire::message_type::pool_news, wire::pack(news));
    strangers_.insert(std::move(known));
    return;
  }
  member& made = members_[id];
  made.id = id;
  made.channel = std::move(known.mapped());
  made.join = std::move(join);
  log::info(fmt::format("{} (process {} on {}) joins", made.join.program, made.join.pid, made.join.host));
}

COROLITH_DECL void head_core::closed(std::uint64_t id, const std::exception_ptr& reason) {
  strangers_.erase(id);
  if (const auto found = nodes_.extract(id)) {
    if (reason && !down_ && !found.mapped().ending)
      log::warning(fmt::format("{} is lost: {}", found.mapped().hello.host, wire::explain_end(reason)));
    resident_gone(found.mapped());
  }
  if (const auto found = members_.find(id); found != members_.end()) {
    log::info(fmt::format("{} (process {} on {}) leaves", found->second.join.program, found->second.join.pid,
                          found->second.join.host));
    driver_gone(id);
  }
  plan();
  end_if_empty();
}

COROLITH_DECL void head_core::resident_gone(const node& gone) {
  std::erase_if(leases_, [&](const auto& each) { return each.second.node == gone.id; });
  for (auto& [id, each] : members_) {
    each.refused.erase(gone.id);
    each.failed_starts.erase(gone.id);
  }
}

COROLITH_DECL void head_core::driver_gone(std::uint64_t id) {
  members_.erase(id);
  for (auto& [lease_id, each] : leases_) {
    if (each.member != id || std::exchange(each.ending, true)) continue;
    if (const auto at = nodes_.find(each.node); at != nodes_.end())
      at->second.channel->send(wire::message_type::pool_lease_end, wire::pack(wire::pool_lease_end{lease_id}));
  }
}

COROLITH_DECL void head_core::lease_ended(std::uint64_t id, const std::string& reason) {
  const auto found = leases_.extract(id);
  if (!found) return;
  const lease& was = found.mapped();
  const auto owner = members_.find(was.member);
  if (owner == members_.end() || reason.empty() || was.ending) return;
  const auto at = nodes_.find(was.node);
  const std::string host = at == nodes_.end() ? "a node that is gone" : at->second.hello.host;
  log::warning(fmt::format("the agent of {} on {} ended: {}", owner->second.join.program, host, reason));
  const bool early = clock::now() - was.granted < early_end;
  if (early && ++owner->second.failed_starts[was.node] >= failed_starts_allowed) {
    owner->second.refused.insert(was.node);
    owner->second.refusal = fmt::format("its agent on {} ends at once: {}", host, reason);
  }
}

COROLITH_DECL void head_core::lease_refused(std::uint64_t id, const std::string& reason) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  found->second.draining = true;
  const auto owner = members_.find(found->second.member);
  if (owner == members_.end()) return;
  owner->second.refused.insert(found->second.node);
  owner->second.refusal = reason;
}

COROLITH_DECL wire::pool_news head_core::news_for(const member& of) const {
  wire::pool_news news;
  std::uint64_t holds = 0, slots = 0;
  bool usable = false, large_enough = false;
  for (const auto& [id, each] : leases_)
    if (each.member == of.id) holds += each.what.slots;
  for (const auto& [id, each] : nodes_) {
    if (each.ending) continue;
    slots += each.hello.cpus;
    usable = usable || !of.refused.contains(id);
    const bool memory = each.hello.memory == 0 || each.hello.memory >= of.demand.memory;
    large_enough = large_enough || (each.hello.cpus >= of.demand.cpus && each.hello.gpus >= of.demand.gpus && memory);
  }
  const bool more_to_come = std::any_of(jobs_.begin(), jobs_.end(),
                                        [&](const auto& each) { return !each.second.ending && !each.second.was_up; });
  news.none_larger = slots != 0 && !more_to_come && !large_enough;
  if (slots != 0 && !usable && !more_to_come) news.over = "none of its nodes can run this program: " + of.refusal;
  if (holds != 0) return news;
  news.of_others = true;
  if (slots != 0) {
    news.waiting_for = fmt::format("{} drivers share {} slots", members_.size(), slots);
    return news;
  }
  for (const auto& [id, each] : jobs_)
    if (!each.ending) {
      const launch::delay delay = each.launcher->delayed_by();
      news.waiting_for = delay.reason.empty() ? "its nodes start" : delay.reason;
      return news;
    }
  const bool none = elasticity_.settings().max_nodes == 0;
  news.waiting_for =
      none ? "it has no nodes (corolith pool scale gives it some)" : "its first nodes are about to be asked for";
  if (!trouble_.empty()) {
    news.waiting_for += "; " + trouble_;
    news.of_others = false;
  }
  return news;
}

COROLITH_DECL void head_core::tell_news(member& to) {
  const shared_bytes news = wire::pack(news_for(to));
  const byte_span is = news.span(), was = to.news.span();
  if (is.size() == was.size() && std::equal(is.begin(), is.end(), was.begin())) return;
  to.news = news;
  to.channel->send(wire::message_type::pool_news, news);
}

COROLITH_DECL void head_core::answer(std::uint64_t id, const wire::pool_ask& ask) {
  const auto known = strangers_.find(id);
  if (known == strangers_.end()) return;
  const std::shared_ptr<wire::channel> channel = known->second;
  wire::pool_answer answer;
  answer.refusal = obey(ask.words);
  answer.status = status();
  channel->send(wire::message_type::pool_answer, wire::pack(answer));
  channel->flush();
}

COROLITH_DECL std::string head_core::obey(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? std::string() : words[0];
  if (verb == "show") return {};
  if (verb == "down") {
    go_down("it was taken down (corolith pool down)");
    return {};
  }
  if (verb == "drain") {
    draining_ = true;
    end_if_empty();
    return {};
  }
  if (verb != "scale" || words.size() != 3) return "the head of the pool does not know what '" + verb + "' is";
  const auto least = whole_number<std::uint32_t>(words[1]), most = whole_number<std::uint32_t>(words[2]);
  if (!least || !most || *least > *most) return "scale: a least and a greatest number of nodes were expected";
  const std::uint32_t of_job = elasticity_.settings().nodes_per_job;
  if (*most != 0 && *most < of_job)
    return fmt::format("scale: a job of this pool has {} nodes, so fewer than that are none", of_job);
  elasticity_.limits(*least, *most);
  start_again_ = {};  // whoever scales knows better than what failed before
  failures_ = 0;
  return {};
}

COROLITH_DECL wire::pool_status head_core::status() const {
  wire::pool_status now;
  now.state = down_ ? "ending" : draining_ ? "draining" : "up";
  now.min_nodes = elasticity_.settings().min_nodes;
  now.max_nodes = elasticity_.settings().max_nodes;
  now.trouble = trouble_;
  std::map<std::uint64_t, std::uint32_t> leased;
  std::map<std::uint64_t, std::uint64_t> held;
  for (const auto& [id, each] : leases_) {
    leased[each.node] += each.what.slots;
    held[each.member] += each.what.slots;
  }
  for (const auto& [id, each] : jobs_)
    now.jobs.push_back(
        {std::to_string(id), each.ending ? "ending" : each.launcher->delayed_by().reason, each.nodes, nodes_of(each)});
  for (const auto& [id, each] : nodes_)
    now.nodes.push_back({each.hello.host, each.hello.job, each.hello.cpus, leased[id], each.ending});
  for (const auto& [id, each] : members_)
    now.drivers.push_back({each.join.program, each.join.host, each.join.pid, each.demand.open, each.demand.running,
                           held[id], each.share, each.demand.mean_ns});
  return now;
}

}  // namespace detail
}  // namespace pool
}  // namespace v0
}  // namespace corolith
