// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/number.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/launch/detail/file_tail.hpp>
#include <corolith/launch/pool.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace launch {

/// One connection to the head: what its callbacks hold while the launcher may be gone, or at the next one already.
struct pool::link {
  pool* owner = nullptr;
  std::shared_ptr<wire::channel> head;
};

namespace detail {

inline pool_options checked(pool_options settings) {
  if (settings.name.empty()) throw config_error("pool: name the pool with --pool NAME; corolith pool ls lists them");
  return settings;
}

}  // namespace detail

COROLITH_DECL pool::pool(asio::io_context& io, pool_options settings)
    : io_(io), settings_(detail::checked(std::move(settings))), folder_(settings_.folder, settings_.name) {
  record_ = record_of_pool(folder_);
}

COROLITH_DECL pool::~pool() { kill(); }

COROLITH_DECL bool pool::all_here() const { return record_.launcher == "local" && record_.host == host_name(); }

COROLITH_DECL void pool::start(const request& what) {
  what_ = what;
  connect();
}

COROLITH_DECL void pool::restart(std::uint32_t) {
  record_ = record_of_pool(folder_);
  connect();
}

COROLITH_DECL void pool::connect() {
  news_ = {};
  link_ = std::make_shared<link>();
  link_->owner = this;
  async_connect_head(
      io_, folder_, record_,
      [known = std::weak_ptr(link_)](const std::exception_ptr& problem, std::shared_ptr<wire::channel> head) {
        const auto alive = known.lock();
        if (!alive || alive->owner == nullptr) return;
        if (problem) return alive->owner->lost(wire::explain_end(problem), true);
        alive->owner->joined(std::move(head));
      });
}

COROLITH_DECL void pool::joined(std::shared_ptr<wire::channel> head) {
  link_->head = head;
  wire::channel::events events;
  events.on_message = [known = std::weak_ptr(link_)](wire::message&& got) {
    const auto alive = known.lock();
    if (alive && alive->owner != nullptr) alive->owner->received(std::move(got));
  };
  events.on_close = [known = std::weak_ptr(link_)](const std::exception_ptr& reason) {
    const auto alive = known.lock();
    if (alive && alive->owner != nullptr) alive->owner->lost("the head was lost: " + wire::explain_end(reason), false);
  };
  head->start(std::move(events));
  head->keep_alive(std::chrono::seconds(2), std::chrono::seconds(60));
  wire::pool_join join;
  join.program = std::filesystem::path(own_executable_path()).filename().string();
  join.host = host_name();
  join.pid = static_cast<std::int32_t>(::getpid());
  join.connect = fmt::format("{}", fmt::join(what_.connect, ","));
  if (!what_.secret_file.empty()) join.secret = detail::file_tail(what_.secret_file);
  while (!join.secret.empty() && join.secret.back() == '\n') join.secret.pop_back();
  join.rejoin_ms = what_.rejoin.count();
  join.cache_folder = what_.cache_folder;
  join.log_level = what_.log_level;
  head->send(wire::message_type::pool_join, wire::pack(join));
  tell_demand();
}

COROLITH_DECL void pool::received(wire::message&& got) {
  switch (got.type) {
    case wire::message_type::pool_drain:
      return to_drain_.push_back(std::to_string(wire::unpack<wire::pool_drain>(got.body).lease));
    case wire::message_type::pool_news:
      news_ = wire::unpack<wire::pool_news>(got.body);
      if (!news_.over.empty()) lost(news_.over, true);
      return;
    default: return;
  }
}

COROLITH_DECL void pool::lost(const std::string& why, bool hopeless) {
  if (link_) link_->owner = nullptr;  // nothing more is heard of it
  link_.reset();
  ended_.push_back({0, fmt::format("pool {}: {}", settings_.name, why), {}, hopeless});
}

COROLITH_DECL std::vector<unit_exit> pool::ended() { return std::exchange(ended_, {}); }

COROLITH_DECL delay pool::delayed_by() const {
  if (!link_ || !link_->head) return {fmt::format("the head of the pool {} is being looked for", settings_.name), true};
  if (news_.waiting_for.empty()) return {fmt::format("the pool {} starts agents", settings_.name), false};
  return {fmt::format("pool {}: {}", settings_.name, news_.waiting_for), news_.of_others};
}

COROLITH_DECL void pool::wanted(const demand& what) {
  if (what == demand_) return;
  demand_ = what;
  tell_demand();
}

COROLITH_DECL void pool::tell_demand() {
  if (!link_ || !link_->head) return;
  wire::pool_demand told;
  told.open = demand_.open;
  told.running = demand_.running;
  told.mean_ns = demand_.mean_ns;
  told.cpus = demand_.cpus;
  told.gpus = demand_.gpus;
  told.memory = demand_.memory;
  for (const std::string& tag : demand_.busy)
    if (const auto lease = whole_number<std::uint64_t>(tag)) told.busy.push_back(*lease);
  link_->head->send(wire::message_type::pool_demand, wire::pack(told));
}

COROLITH_DECL std::vector<std::string> pool::to_drain() { return std::exchange(to_drain_, {}); }

COROLITH_DECL void pool::gave_up(const std::string& tag, const std::string& reason) {
  const auto lease = whole_number<std::uint64_t>(tag);
  if (!lease || !link_ || !link_->head) return;
  link_->head->send(wire::message_type::pool_refused, wire::pack(wire::pool_refused{*lease, reason}));
}

COROLITH_DECL void pool::stop() {
  if (link_ && link_->head) wanted({});
}

// The agents were told to go by the driver. The head hears it when the connection ends.
COROLITH_DECL bool pool::all_gone() {
  if (connected_ != 0 && !killed_) return false;
  kill();
  return true;
}

COROLITH_DECL void pool::kill() noexcept {
  killed_ = true;
  if (!link_) return;
  link_->owner = nullptr;
  if (link_->head) link_->head->close_when_sent();
  if (link_->head) link_->head->flush();
  link_.reset();
}

}  // namespace launch
}  // namespace v0
}  // namespace corolith
