// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/process_status.hpp>
#include <corolith/launch/slurm.hpp>
#include <corolith/pool/detail/head_core.hpp>
#include <corolith/wire/meeting.hpp>

#include <fmt/format.h>

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

inline constexpr std::chrono::milliseconds tick_interval{100};

COROLITH_DECL head_core::head_core(head_options settings)
    : settings_(std::move(settings)),
      folder_(settings_.folder, settings_.name),
      gate_(std::make_shared<launch::command_gate>()),
      elasticity_(settings_.size) {}

COROLITH_DECL int head_core::run(unique_fd claim) {
  ::prctl(PR_SET_DUMPABLE, 0);  // it holds the secrets of runs
  log::set_role("pool " + settings_.name);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  wait_for_signals();
  try {
    begin();
    tick();
    io_.run();
  } catch (...) {
    jobs_.clear();  // ends them
    folder_.remove(false);
    throw;
  }
  // Last, when nothing of the pool is left.
  folder_.remove(true);
  guard_.reset();
  static_cast<void>(claim);
  return status_;
}

COROLITH_DECL void head_core::begin() {
  folder_.remove(false);  // what a dead head has left
  guard_.emplace("rm -rf -- \"$1/record.json\" \"$1/secret\" \"$1\"/job-*", std::vector<std::string>{folder_.path()});
  const wire::secret secret = wire::secret::make();
  secret.save(folder_.secret_file());
  wire::hello mine;
  mine.role = wire::role::head;
  wire::listener::events events;
  events.on_accept = [this](std::shared_ptr<wire::channel> peer, wire::hello said) {
    accepted(std::move(peer), said.role);
  };
  settings_.meeting.loopback = settings_.launcher == "local";
  wire::meeting made = wire::meet(io_, settings_.meeting, wire::places_to_listen(settings_.meeting), secret, mine,
                                  wire::role::any, std::move(events));
  listener_ = std::move(made.listener);
  record_ = {settings_.name,     settings_.launcher,       host_name(), ::getpid(), launch::start_time_of(::getpid()),
             std::time(nullptr), std::move(made.addresses)};
  folder_.write(record_);
  log::info(fmt::format("is up at {}", fmt::join(record_.addresses, ",")));
}

COROLITH_DECL void head_core::wait_for_signals() {
  signals_.async_wait([this](const asio::error_code& problem, int number) {
    if (problem) return;
    go_down("its head was ended by " + describe_signal(number));
    wait_for_signals();
  });
}

COROLITH_DECL void head_core::tick() {
  mind_jobs();
  resize();
  plan();
  for (auto& [id, each] : members_) tell_news(each);
  end_if_empty();
  timer_.expires_after(tick_interval);
  timer_.async_wait([this](const asio::error_code& problem) {
    if (!problem) tick();
  });
}

COROLITH_DECL void head_core::go_down(const std::string& why) {
  if (std::exchange(down_, true)) return;
  log::info("goes down: " + why);
  wire::pool_news news;
  news.over = why;
  for (auto& [id, each] : members_) each.channel->send(wire::message_type::pool_news, wire::pack(news));
  for (auto& [id, each] : jobs_) {
    each.ending = each.stopped = true;
    each.kill_at = clock::now() + std::chrono::seconds(5);
    each.launcher->stop();
  }
  for (auto& [id, each] : nodes_) each.channel->send(wire::message_type::shutdown);
}

COROLITH_DECL void head_core::end_if_empty() {
  if (draining_ && members_.empty() && !down_) go_down("the last driver has left");
  if (!down_ || !jobs_.empty()) return;
  timer_.cancel();
  signals_.cancel();
  if (listener_) listener_->close();
  io_.stop();
}

}  // namespace detail
}  // namespace pool
}  // namespace v0
}  // namespace corolith
