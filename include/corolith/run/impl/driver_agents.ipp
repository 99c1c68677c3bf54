// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/number.hpp>
#include <corolith/core/segment_pool.hpp>
#include <corolith/launch/local.hpp>
#include <corolith/launch/pool.hpp>
#include <corolith/launch/slurm.hpp>
#include <corolith/run/detail/driver_core.hpp>
#include <corolith/run/detail/program.hpp>
#include <corolith/run/detail/rendezvous.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace corolith {
inline namespace v0 {
namespace detail {

inline std::int64_t in_ms(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

COROLITH_DECL driver_core::driver_core(asio::io_context& io, options settings, std::string session_folder,
                                       std::atomic<std::uint64_t>& next_batch,
                                       std::vector<std::string> worker_environment)
    : io_(io),
      settings_(std::move(settings)),
      session_folder_(std::move(session_folder)),
      next_batch_(next_batch),
      worker_environment_(std::move(worker_environment)),
      timer_(io),
      console_(std::make_shared<console>()),
      output_(std::make_shared<output_sink>(console_, settings_.on_output)),
      progress_(*console_, settings_.progress) {}

inline std::unique_ptr<launch::launcher> make_launcher(asio::io_context& io, const options& settings) {
  if (settings.launcher == "pool") return std::make_unique<launch::pool>(io, settings.pool);
  if (settings.launcher == "slurm") return std::make_unique<launch::slurm>(settings.slurm);
  if (settings.launcher == "local") return std::make_unique<launch::local>();
  throw config_error("options.launcher: unknown launcher '" + settings.launcher + "': there are local, slurm and pool");
}

COROLITH_DECL void driver_core::start() {
  launcher_ = make_launcher(io_, settings_);
  if (settings_.agents == 0)
    settings_.agents = settings_.launcher == "slurm" ? launch::slurm::allocated_nodes().value_or(1) : 1;
  launch_agents();
  modules_ = program_modules();  // while the agents start
  tick();
}

COROLITH_DECL void driver_core::launch_agents() {
  wire::listener::events events;
  const std::weak_ptr<driver_core> weak = weak_from_this();
  events.on_accept = [weak](std::shared_ptr<wire::channel> peer, wire::hello) {
    if (const auto self = weak.lock()) self->accepted(std::move(peer));
  };
  launch::request request;
  request.secret_file = session_folder_ + "/secret";
  rendezvous place =
      meet_agents(io_, settings_, launcher_->all_here(), session_folder_, request.secret_file, std::move(events));
  listener_ = std::move(place.listener);
  if (listener_->local_address().kind == wire::address::family::unix_socket) {
    request.secret_file.clear();
    segment_pool::of_process().allow(segment_limits::of_machine());
  }
  request.connect = std::move(place.addresses);
  request.session_folder = session_folder_;
  request.cache_folder = settings_.cache_folder;
  request.log_level = settings_.log_level;
  request.rejoin = std::chrono::milliseconds(in_ms(settings_.rejoin));
  request.agents = settings_.agents;
  request.slots = settings_.slots;
  request.gpus = settings_.gpus;
  request.memory = settings_.memory;
  request.patience = settings_.launch_timeout;
  launcher_->start(request);
  units_.resize(launcher_->units(), unit{settings_.relaunch, 0, false});
  launched_ = clock::now();
}

COROLITH_DECL void driver_core::accepted(std::shared_ptr<wire::channel> channel) {
  auto session = std::make_shared<agent_session>();
  session->id = next_agent_++;
  session->channel = channel;
  sessions_.emplace(session->id, session);
  wire::channel::events events;
  const std::weak_ptr<driver_core> weak = weak_from_this();
  // The session is captured weakly: it owns the channel, which owns this handler.
  events.on_message = [weak, known = std::weak_ptr(session)](wire::message&& message) {
    const auto self = weak.lock();
    const auto alive = known.lock();
    if (self && alive) self->received(*alive, std::move(message));
  };
  events.on_batch_end = [weak] {
    if (const auto self = weak.lock()) self->pump();
  };
  events.on_close = [weak, id = session->id](std::exception_ptr reason) {
    if (const auto self = weak.lock()) self->disconnected(id, reason);
  };
  channel->start(std::move(events));
  channel->keep_alive(std::chrono::milliseconds(in_ms(settings_.heartbeat)),
                      std::chrono::milliseconds(in_ms(settings_.silence)));
  if (!gone_) return;
  channel->send(wire::message_type::shutdown);  // it came too late
  channel->flush();
}

COROLITH_DECL void driver_core::received(agent_session& session, wire::message&& message) {
  using type = wire::message_type;
  const auto id = [&] { return wire::read_head<call_id>(message.body); };
  switch (message.type) {
    case type::result: return result(session, std::move(message));
    case type::returned: return scheduler_.returned(session.id, id());
    case type::started: return scheduler_.started(session.id, id());
    case type::blocked: return scheduler_.blocked(session.id, id());
    case type::unblocked: return scheduler_.unblocked(session.id, id());
    case type::nested_up: return nested_up(session, message);
    case type::nested_gone: return nested_gone(session, wire::read_head<std::uint64_t>(message.body));
    case type::output: {
      auto line = wire::unpack<wire::output_line>(message.body);
      return output_->take(
          {session.hello.host, line.pid, line.id.batch, line.id.index, line.stream, std::move(line.text)});
    }
    case type::agent_hello: return greet(session, message);
    case type::program_request: return send_module(session, message);
    case type::agent_ready: return agent_ready(session);
    case type::agent_failed: return agent_gave_up(session, wire::unpack<wire::agent_failed>(message.body).reason);
    case type::heartbeat:
    case type::goodbye: return;
    default:
      throw error(errc::protocol, fmt::format("an agent sent a message of type {}, which is not for a driver",
                                              static_cast<int>(message.type)));
  }
}

COROLITH_DECL void driver_core::greet(agent_session& session, const wire::message& message) {
  session.hello = wire::unpack<wire::agent_hello>(message.body);
  session.host = std::make_shared<const std::string>(session.hello.host);
  session.draining = drained_early_.erase(session.hello.launch_tag) != 0;
  log::debug(fmt::format("agent {} connected from {}, pid {}", session.id, session.hello.host, session.hello.pid));
  wire::welcome welcome;
  welcome.session = session_folder_;
  welcome.modules = modules_;
  std::error_code ignored;
  welcome.working_directory = std::filesystem::current_path(ignored).string();
  welcome.environment = worker_environment_;
  welcome.heartbeat_ms = in_ms(settings_.heartbeat);
  welcome.silence_ms = in_ms(settings_.silence);
  welcome.grace_ms = in_ms(settings_.grace);
  welcome.threads = settings_.isolation == isolation_mode::thread;
  session.channel->send(wire::message_type::welcome, wire::pack(welcome));
}

COROLITH_DECL void driver_core::send_module(agent_session& session, const wire::message& message) {
  const auto asked = wire::unpack<wire::program_request>(message.body);
  shared_bytes bytes;
  for (const wire::module_file& module : modules_)
    if (module.sha256 == asked.sha256) bytes = read_module(module);
  session.channel->send(wire::message_type::program_file, bytes_of(asked.sha256), std::move(bytes));
}

COROLITH_DECL void driver_core::agent_ready(agent_session& session) {
  if (session.draining) return;  // it was asked back before it came up
  session.ready = true;
  was_ready_ = true;
  scheduler_.agent_joined(session.id, {session.hello.cpus, session.hello.gpus, session.hello.memory});
  update_capacity();
}

// A call that fits no agent waits as long as one is still to come, be it for the first time or again.
COROLITH_DECL void driver_core::update_capacity() {
  launcher_->connected(ready_agents());
  if (launcher_->elastic()) return scheduler_.capacity_final(ready_agents() != 0 && launcher_->none_larger());
  std::uint32_t out = 0;
  for (const unit& each : units_) out += each.over ? launcher_->agents_per_unit() : each.agents_given_up;
  scheduler_.capacity_final(ready_agents() + out >= settings_.agents);
}

COROLITH_DECL std::uint32_t driver_core::ready_agents() const {
  return static_cast<std::uint32_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const auto& each) { return each.second->ready; }));
}

COROLITH_DECL void driver_core::agent_gave_up(agent_session& session, const std::string& reason) {
  const auto number = whole_number<std::uint32_t>(session.hello.launch_tag);
  session.channel->close();
  if (launcher_->elastic()) return agent_refused(session, reason);
  if (!number || *number >= units_.size())  // somebody started it by hand: nothing that was asked for is missing
    return log::warning(fmt::format("agent on {}: {}; going on without it", session.hello.host, reason));
  unit& of = units_[*number];
  if (of.over) return;
  of.over = ++of.agents_given_up >= launcher_->agents_per_unit();
  check_units(fmt::format("agent on {}: {}", session.hello.host, reason));
}

/// Whether a peer that was told to go has gone: said goodbye, or closed the connection at least.
inline bool has_closed(const std::exception_ptr& reason) {
  if (!reason) return true;
  try {
    std::rethrow_exception(reason);
  } catch (const error& known) {
    return known.code() == errc::peer_closed;
  } catch (...) {
    return false;
  }
}

COROLITH_DECL void driver_core::disconnected(schedule::agent_id id, std::exception_ptr reason) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const std::shared_ptr<agent_session> session = found->second;
  sessions_.erase(found);
  nested_gone(*session, std::nullopt);
  if (gone_ && !has_closed(reason)) kill_at_ = clock::now();  // it may live, or its end may be known to nobody
  if (session->ready) {
    update_capacity();
    scheduler_.agent_lost(id);
    if (!gone_ && !session->draining)
      log::warning(fmt::format("agent on {} (pid {}) was lost: {}; its calls run elsewhere", session->hello.host,
                               session->hello.pid, wire::explain_end(reason)));
  }
  pump();
}

COROLITH_DECL void driver_core::reap_units() {
  for (const launch::unit_exit& exit : launcher_->ended())
    if (!gone_ && !units_.at(exit.unit).over) unit_ended(exit);
}

COROLITH_DECL void driver_core::unit_ended(const launch::unit_exit& exit) {
  unit& ended = units_[exit.unit];
  std::string reason = exit.reason;
  if (!exit.log_tail.empty()) reason += "\nlast lines of its log:\n" + exit.log_tail;
  if (exit.hopeless || ended.launches_left == 0) return give_up_unit(exit.unit, reason);
  --ended.launches_left;
  ended.agents_given_up = 0;
  log::warning(fmt::format("{}\nit is started again ({} more times at most)", reason, ended.launches_left));
  try {
    launcher_->restart(exit.unit);
    launched_ = clock::now();
  } catch (const launch_failed& failure) {
    give_up_unit(exit.unit, failure.what());
  }
}

COROLITH_DECL void driver_core::give_up_unit(std::uint32_t number, const std::string& reason) {
  units_[number].over = true;
  check_units(reason);
}

/// After an agent or a unit was given up for `reason`: is there anything left to hope for?
COROLITH_DECL void driver_core::check_units(const std::string& reason) {
  last_trouble_ = reason;
  update_capacity();
  if (std::all_of(units_.begin(), units_.end(), [](const unit& each) { return each.over; })) {
    abandon_all(std::make_exception_ptr(launch_failed("no agent can run this program: " + reason)));
  } else {
    log::warning(reason + "; going on without it");
  }
}

COROLITH_DECL void driver_core::check_launch_timeout() {
  if (was_ready_ || failed_) return;
  const launch::delay delay = launcher_->delayed_by();
  if (delay.of_others) launched_ = clock::now();
  if (clock::now() - launched_ <= settings_.launch_timeout) return;
  std::string why = last_trouble_.empty() ? delay.reason : last_trouble_;
  if (why.empty()) why = "none has said why";
  const double seconds = std::chrono::duration<double>(settings_.launch_timeout).count();
  abandon_all(std::make_exception_ptr(
      launch_failed(fmt::format("no agent was ready after {} s (--launch-timeout); {}", seconds, why))));
}

COROLITH_DECL void driver_core::tick() {
  reap_units();
  if (launcher_->elastic() && !gone_) mind_leases();
  const auto now = clock::now();
  scheduler_.tick(now.time_since_epoch() / std::chrono::nanoseconds(1));
  check_launch_timeout();
  pump();
  progress_.update(progress(), now);
  segment_pool::of_process().give_back(now);
  if (gone_) {
    if (now >= kill_at_) launcher_->kill();
    launcher_->connected(static_cast<std::uint32_t>(sessions_.size()));
    // An agent that somebody else started is told, too: were its connection closed with results of it unread, it would not hear of that.
    if (launcher_->all_gone() && (sessions_.empty() || now >= kill_at_)) return std::exchange(gone_, nullptr)();
  }
  timer_.expires_after(gone_ || scheduler_.wants_tick() ? std::chrono::milliseconds(10)
                                                        : std::chrono::milliseconds(100));
  timer_.async_wait([weak = weak_from_this()](std::error_code failure) {
    if (const auto self = weak.lock(); self && !failure) self->tick();
  });
}

COROLITH_DECL progress_counts driver_core::progress() const {
  progress_counts counts;
  counts.all_ended = all_ended_;
  counts.all_failed = all_failed_;
  for (const auto& [batch, entry] : batches_) {
    if (entry.nested) continue;
    counts.done += entry.ended;
    counts.failed += entry.failed;
    counts.known += std::max(entry.fed, entry.size);
    counts.open_ended = counts.open_ended || (!entry.input_ended && entry.size == 0);
    counts.running += scheduler_.counts(batch).sent;
  }
  counts.agents = ready_agents();
  for (const auto& [id, session] : sessions_) counts.slots += session->ready ? session->hello.cpus : 0;
  if (counts.agents == 0 && counts.known != counts.done) {
    counts.waiting_for = fmt::format("waiting for {} agent{}", settings_.agents, settings_.agents == 1 ? "" : "s");
    if (const launch::delay delay = launcher_->delayed_by(); !delay.reason.empty())
      counts.waiting_for += ": " + delay.reason;
  }
  return counts;
}

COROLITH_DECL void driver_core::shut_down(std::exception_ptr reason, std::function<void()> gone) {
  abandon_all(std::move(reason));
  progress_.finish(progress(), clock::now());
  if (listener_) listener_->close();
  for (const auto& [id, session] : sessions_) {
    session->channel->send(wire::message_type::shutdown);
    session->channel->flush();
  }
  if (launcher_) launcher_->stop();
  gone_ = std::move(gone);
  kill_at_ = clock::now() + std::chrono::seconds(3);
  if (!launcher_) return std::exchange(gone_, nullptr)();
  timer_.cancel();
  tick();
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
