// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/session.hpp>

#include <corolith/agent/detail/memory_watch.hpp>
#include <corolith/agent/detail/parent.hpp>
#include <corolith/agent/detail/parent_death.hpp>
#include <corolith/agent/detail/setup.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/segment_pool.hpp>
#include <corolith/wire/messages.hpp>

#include <asio/post.hpp>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

using wire::message_type;
using wire::outcome_kind;

inline constexpr std::size_t output_waits_above =
    4U << 20U;  // queued for the driver: workers' output stays in their pipes
inline constexpr std::size_t results_wait_above = 64U << 20U;  // and here their results stay in their sockets
inline constexpr std::chrono::milliseconds memory_watch_interval{100};

/// What a line_tail knows of a line of a process whose slots are threads: it is its call's, or may be anybody's.
inline constexpr std::uint64_t nobodys_turn = 0;
inline constexpr std::uint64_t callers_turn = 1;

inline std::uint64_t turn_of_line(const worker_host& from, const call_id& id) noexcept {
  if (from.threads()) return id == call_id() ? nobodys_turn : callers_turn;
  return from.slots().empty() ? nobodys_turn : from.slots().front()->turn;
}

inline steady_time steady_now() noexcept { return std::chrono::steady_clock::now(); }

/// For a driver whose end closed the connection, or that closed it because it heard nothing: one look is enough.
inline constexpr std::chrono::milliseconds hope_after_close{5000};
inline constexpr std::chrono::milliseconds unbounded_hope = std::chrono::milliseconds::max();

/// How long to look for a driver again that was lost for this reason; 0: it is no matter of the network.
inline std::chrono::milliseconds hope_after(const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const error& known) {
    if (known.code() == errc::peer_silent) return unbounded_hope;
    if (known.code() == errc::peer_closed) return hope_after_close;
  } catch (const std::system_error&) {
    return unbounded_hope;  // no route, timed out
  } catch (...) {
  }
  return std::chrono::milliseconds(0);
}

COROLITH_DECL session::session(agent_options options, std::vector<wire::address> places,
                               std::optional<wire::secret> secret)
    : options_(std::move(options)),
      places_(std::move(places)),
      secret_(std::move(secret)),
      io_(1),
      signals_(io_),
      tick_timer_(io_),
      memory_timer_(io_),
      segments_timer_(io_),
      wait_timer_(io_) {}

COROLITH_DECL sigset_t session::ending_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, parent_death_signal()}) sigaddset(&set, number);
  return set;
}

COROLITH_DECL session_end session::run(const search_settings& search) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, parent_death_signal()}) signals_.add(number);
  const sigset_t ending = ending_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  wait_for_signals();
  if (parent_is_gone(options_)) end(1);
  try {
    if (!ended_) connect(search);
    if (!ended_) io_.run();
  } catch (const std::exception& problem) {
    log::error(std::string("agent: ") + problem.what());
    end_.status = 1;
    end_.hope = std::chrono::milliseconds(0);
  }
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  workers_.clear();  // kills their process groups
  driver_.reset();
  return end_;
}

// The kernel sends the parent's death signal also when only the thread is gone that started this process.
COROLITH_DECL void session::wait_for_signals() {
  signals_.async_wait([this](const asio::error_code& problem, int number) {
    if (problem) return;
    if (number == parent_death_signal() && !parent_is_gone(options_)) return wait_for_signals();
    log::info(std::string("agent: ends by signal ") + std::to_string(number));
    end(number == parent_death_signal() ? 1 : 128 + number);
  });
}

COROLITH_DECL void session::end(int status) noexcept {
  if (std::exchange(ended_, true)) return;
  end_.status = status;
  for (auto& [number, worker] : workers_) worker->host().kill();
  io_.stop();
}

// --- the driver's connection ----------------------------------------------------------------------------------------

COROLITH_DECL void session::connect(const search_settings& search) {
  search_ = std::make_shared<driver_search>(
      io_, places_, std::exchange(secret_, std::nullopt), search,
      [this](const std::exception_ptr& problem, std::shared_ptr<wire::channel> channel, std::size_t place) {
        end_.place = place;
        if (!problem) return on_connected(std::move(channel));
        log::error("agent: " + wire::explain_end(problem));
        end(1);
      });
  search_->run();
}

COROLITH_DECL void session::on_connected(std::shared_ptr<wire::channel> channel) {
  driver_ = std::move(channel);
  driver_->set_low_water(output_waits_above / 2);
  driver_->assemble_in_segments();
  segment_pool::of_process().allow(segment_limits::of_machine());
  wire::channel::events handlers;
  handlers.on_message = [this](wire::message&& got) { on_driver_message(std::move(got)); };
  handlers.on_batch_end = [this] { end_of_turn(); };
  handlers.on_close = [this](const std::exception_ptr& reason) { on_driver_closed(reason); };
  handlers.on_drained = [this] { on_drained(); };
  driver_->start(std::move(handlers));
  driver_->keep_alive(std::chrono::seconds(2), std::chrono::seconds(30));  // until the driver says what it wants
  wire::agent_hello hello;
  hello.host = options_.node_name;
  hello.pid = static_cast<std::int32_t>(::getpid());
  hello.cpus = options_.slots;
  hello.gpus = options_.gpus;
  hello.memory = options_.memory;
  hello.launch_tag = options_.launch_tag;
  driver_->send(message_type::agent_hello, wire::pack(hello));
}

COROLITH_DECL void session::on_driver_closed(const std::exception_ptr& reason) {
  // A driver that says shutdown waits until this agent is done: while workers are there, it has not left but died.
  if (reason == nullptr || (shutting_down_ && workers_.empty())) return end(end_.status);
  log::warning("agent: the driver is lost: " + wire::explain_end(reason));
  if (!shutting_down_) end_.hope = hope_after(reason);
  end(1);
}

COROLITH_DECL void session::on_driver_message(wire::message&& got) {
  switch (got.type) {
    case message_type::welcome: return on_welcome(wire::unpack<wire::welcome>(got.body));
    case message_type::program_file:
      if (!program_ || dispatcher_) return;
      try {
        program_->received(got.body);
      } catch (const std::exception& problem) {
        return fail_agent(problem.what());
      }
      return fetch_program();
    case message_type::shutdown: return shut_down();
    default:
      if (dispatcher_) return on_work_message(std::move(got));
      throw error(errc::protocol, "the driver sent work before the agent was ready");
  }
}

COROLITH_DECL void session::on_work_message(wire::message&& got) {
  switch (got.type) {
    case message_type::call: return dispatcher_->add_call(std::move(got.body));
    case message_type::batch_open: return dispatcher_->open_batch(got.body);
    case message_type::batch_close: return dispatcher_->close_batch(wire::unpack<wire::batch_close>(got.body).batch);
    case message_type::cancel: return dispatcher_->cancel(wire::read_head<call_id>(got.body), steady_now());
    case message_type::recall: return dispatcher_->recall(wire::read_head<call_id>(got.body));
    case message_type::nested_down: return relay_down(got.body);
    default: log::debug("agent: a message that is not for agents, type " + std::to_string(static_cast<int>(got.type)));
  }
}

COROLITH_DECL void session::relay_down(const shared_bytes& body) {
  const auto number = wire::read_head<worker_number>(body);
  send(number, message_type::nested_down, wire::after_head<worker_number>(body));
}

COROLITH_DECL void session::on_welcome(const wire::welcome& welcome) {
  if (program_) throw error(errc::protocol, "a second welcome");
  welcome_ = welcome;
  const auto at_least = [](std::int64_t ms) { return std::chrono::milliseconds(std::max<std::int64_t>(ms, 10)); };
  if (welcome.heartbeat_ms > 0) driver_->keep_alive(at_least(welcome.heartbeat_ms), at_least(welcome.silence_ms));
  program_.emplace(welcome.modules, options_.cache_folder);
  fetch_program();
}

COROLITH_DECL void session::fetch_program() {
  try {
    switch (program_->advance([this](const wire::sha256_bytes& hash) {
      driver_->send(message_type::program_request, wire::pack(wire::program_request{hash}));
    })) {
      case program_fetch::state::asked: return;
      case program_fetch::state::done: return start_work();
      case program_fetch::state::wait: break;
    }
  } catch (const std::exception& problem) {
    return fail_agent(problem.what());
  }
  wait_timer_.expires_after(std::chrono::milliseconds(20));
  wait_timer_.async_wait([this](const asio::error_code& problem) {
    if (!problem && !shutting_down_) fetch_program();
  });
}

COROLITH_DECL void session::start_work() {
  dispatch_settings settings;
  if (welcome_.grace_ms > 0) settings.grace = std::chrono::milliseconds(welcome_.grace_ms);
  settings.threads = welcome_.threads;
  dispatcher_.emplace(settings, capacity_of_node(options_), *this);
  driver_->send(message_type::agent_ready);
  end_.was_ready = true;
  driver_->flush();  // calls may come while the workers start
  dispatcher_->prestart(steady_now());
}

COROLITH_DECL void session::fail_agent(const std::string& reason) {
  if (shutting_down_) return;
  log::error("agent: " + reason);
  end_.status = 1;
  driver_->send(message_type::agent_failed, wire::pack(wire::agent_failed{reason}));
  shutting_down_ = true;
  for (auto& [number, worker] : workers_) worker->host().kill();
  driver_->close_when_sent();
}

// Workers that are idle exit at once; what still runs is asked to stop and has the grace of a cancelled call.
COROLITH_DECL void session::shut_down() {
  if (std::exchange(shutting_down_, true)) return;
  if (dispatcher_) dispatcher_->cancel_all(steady_now());
  for (auto& [number, worker] : workers_) {
    worker->ask_to_end();
    worker->channel().flush();
  }
  wait_timer_.expires_after(std::chrono::milliseconds(welcome_.grace_ms > 0 ? welcome_.grace_ms : 1000));
  wait_timer_.async_wait([this](const asio::error_code& problem) {
    if (problem) return;
    for (auto& [number, worker] : workers_) worker->host().kill();
  });
  shut_down_if_idle();
}

COROLITH_DECL void session::shut_down_if_idle() {
  if (shutting_down_ && workers_.empty()) driver_->close_when_sent();
}

// --- dispatch_actions -----------------------------------------------------------------------------------------------

COROLITH_DECL worker_link* session::find(worker_number number) {
  if (last_worker_ != nullptr && last_worker_->number() == number) return last_worker_;
  const auto found = workers_.find(number);
  return found == workers_.end() ? nullptr : last_worker_ = found->second.get();
}

COROLITH_DECL std::vector<std::string> session::environment_of(const worker_kind& kind, const slot_share& share) const {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) result.emplace_back(*variable);
  const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  const auto set = [&](const std::string& entry) {
    std::erase_if(result, [&](const std::string& old) { return name_of(old) == name_of(entry); });
    if (entry.find('=') != std::string::npos) result.push_back(entry);  // a bare name removes the variable
  };
  const auto get = [&](std::string_view name) -> std::string {
    for (const std::string& entry : result)
      if (name_of(entry) == name) return entry.substr(std::min(entry.size(), name.size() + 1));
    return {};
  };
  for (const std::string& entry : welcome_.environment) set(entry);
  for (const std::string& entry : kind.environment) set(entry);
  if (!program_->library_folder().empty()) {
    const std::string others = get("LD_LIBRARY_PATH");
    set("LD_LIBRARY_PATH=" + program_->library_folder() + (others.empty() ? "" : ":" + others));
  }
  if (options_.gpus != 0) {
    std::string names;
    for (const std::string& gpu : share.gpus) names += (names.empty() ? "" : ",") + gpu;
    set("CUDA_VISIBLE_DEVICES=" + names);
  }
  if (get("OMP_NUM_THREADS").empty()) set("OMP_NUM_THREADS=" + std::to_string(share.cpus));
  return result;
}

COROLITH_DECL void session::start_worker(worker_number number, const worker_kind& kind, const slot_share& share) {
  if (shutting_down_ || ended_) return;
  try {
    auto made = std::make_shared<worker_link>(number, *this);
    workers_.emplace(number, made);
    host_for(kind, share, *made)->add(*made);
    wire::worker_setup setup;
    setup.host = options_.node_name;
    setup.working_directory = welcome_.working_directory;
    setup.slot = slot_counter_++;
    setup.grace_ms = welcome_.grace_ms;
    setup.workers = welcome_.threads ? 1 : std::max(1U, options_.slots);
    if (!kind.alone) setup.cpus.assign(share.pinned.begin(), share.pinned.end());
    made->channel().send(message_type::worker_setup, wire::pack(setup));
  } catch (const std::exception& problem) {
    log::error(std::string("agent: ") + problem.what());
    last_death_ = problem.what();
    workers_.erase(number);
    // Not from inside the dispatcher, and not at once: what the system lacks now it may have later.
    auto timer = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(100));
    timer->async_wait([this, number, timer](const asio::error_code&) {
      dispatcher_->worker_gone(number, {}, steady_now());
      end_of_turn();
    });
  }
}

// A process whose slots are threads serves all of one kind, and starts with the first of them.
COROLITH_DECL std::shared_ptr<worker_host> session::host_for(const worker_kind& kind, const slot_share& share,
                                                             const worker_link& first) {
  std::erase_if(shared_hosts_, [](const auto& each) { return each.second.expired(); });
  if (!kind.alone)
    for (const auto& [its, host] : shared_hosts_)
      if (const auto known = host.lock(); its == kind && known->takes_slots()) return known;
  const program_file& program = program_->executable();
  worker_command command{program.path, program.file.get(), environment_of(kind, share), {}, -1};
  if (kind.alone) {
    command.cpus = share.pinned;
    command.page = first.page().fd();
  }
  auto made = std::make_shared<worker_host>(io_, *this, command);
  if (!kind.alone) shared_hosts_.emplace_back(kind, made);
  made->start();
  return made;
}

COROLITH_DECL void session::stop_worker(worker_number number) {
  worker_link* worker = find(number);
  if (worker == nullptr) return;
  worker->ask_to_end();
  flush_later(*worker);
}

// A thread that has been asked to end and takes its time is no reason to end others.
COROLITH_DECL void session::kill_worker(worker_number number) {
  worker_link* worker = find(number);
  if (worker == nullptr || (worker->asked_to_end() && worker->host().slots().size() > 1 && !shutting_down_)) return;
  worker->host().kill();
}

COROLITH_DECL void session::send(worker_number number, message_type type, const shared_bytes& body) {
  worker_link* worker = find(number);
  if (worker == nullptr) return;
  worker->channel().send(type, body);
  flush_later(*worker);
}

COROLITH_DECL void session::flush_later(worker_link& worker) {
  if (!std::exchange(worker.needs_flush, true)) to_flush_.push_back(&worker);
}

COROLITH_DECL void session::tell_driver(message_type type, const call_id& id) { driver_->send(type, bytes_of(id)); }

COROLITH_DECL void session::send_failure(wire::result_head head, wire::failure what) {
  if (what.host.empty()) what.host = options_.node_name;
  driver_->send(message_type::result, bytes_of(head), wire::pack(what));
}

COROLITH_DECL void session::fail(const call_id& id, outcome_kind kind, std::string_view why, worker_number number,
                                 const worker_death* death) {
  wire::result_head head;
  head.id = id;
  head.kind = kind;
  wire::failure what;
  what.what = why;
  if (death != nullptr) {
    what.signal = death->signal;
    what.exit_status = death->exit_status;
  }
  if (const worker_link* worker = find(number)) {
    head.pid = worker->pid();
    what.stderr_tail = stderr_tail_of(*worker, id);
  }
  if (what.what.empty() && kind == outcome_kind::timeout)
    what.what = "ran longer than its timeout and did not stop when asked to";
  if (what.what.empty() && kind == outcome_kind::cancelled)
    what.what = "cancelled; the function did not stop when asked to";
  if (what.what.empty() && kind == outcome_kind::memory)
    what.what = "the worker held more memory than the call's limit";
  send_failure(head, std::move(what));
}

COROLITH_DECL void session::give_up() {
  asio::post(io_, [this] {
    fail_agent("no worker of " + program_->executable().path + " comes up on " + options_.node_name + ": " +
               (last_death_.empty() ? "it ends at once" : last_death_));
  });
}

// --- worker_events --------------------------------------------------------------------------------------------------

COROLITH_DECL void session::on_worker_message(worker_link& from, wire::message&& got) {
  switch (got.type) {
    case message_type::result: return on_result(from, got.body);
    case message_type::worker_hello: return dispatcher_->worker_ready(from.number(), steady_now());
    case message_type::returned:
      return dispatcher_->returned(from.number(), wire::read_head<call_id>(got.body), steady_now());
    case message_type::blocked:
      return dispatcher_->blocked(from.number(), wire::read_head<call_id>(got.body), steady_now());
    case message_type::unblocked:
      return dispatcher_->unblocked(from.number(), wire::read_head<call_id>(got.body), steady_now());
    case message_type::nested_up:
      from.nested = true;
      return driver_->send(message_type::nested_up, bytes_of(from.number()), std::move(got.body));
    default:
      log::debug("agent: a message that workers do not send, type " + std::to_string(static_cast<int>(got.type)));
  }
}

// Of a line that a thread wrote while others ran calls, too, nobody knows whose it is: it may be this call's.
COROLITH_DECL std::string session::stderr_tail_of(const worker_link& worker, const call_id& id) const {
  return worker.host().tail.of(id, worker.host().threads() ? nobodys_turn : worker.turn);
}

COROLITH_DECL void session::on_result(worker_link& from, const shared_bytes& body) {
  auto head = wire::read_head<wire::result_head>(body);
  // What the call wrote is in the pipe by now. Once for each read: more would cost more than most calls.
  if (!std::exchange(from.drained_this_turn, true) && may_read_output()) {
    from.host().drain_output();
    from.host().end_lines();
  }
  const auto kind = dispatcher_->finished(from.number(), head, steady_now());
  if (!kind) return;
  if (*kind == outcome_kind::value) return driver_->send(message_type::result, body);
  from.host().drain_output();
  wire::failure what;
  if (head.kind != outcome_kind::value) what = wire::unpack<wire::failure>(wire::after_head<wire::result_head>(body));
  if (*kind == outcome_kind::timeout)
    what.what = "ran longer than its timeout" + (what.what.empty() ? "" : "; it ended with: " + what.what);
  head.kind = *kind;
  what.stderr_tail = stderr_tail_of(from, head.id);
  send_failure(head, std::move(what));
}

COROLITH_DECL void session::on_worker_batch_end(worker_link& from) {
  ++from.turn;
  from.drained_this_turn = false;
  end_of_turn();
}

// Threads write to the same pipe: while several run calls, a line is nobody's.
COROLITH_DECL void session::on_worker_line(worker_host& from, std::uint8_t stream, std::string&& line) {
  wire::output_line out;
  std::size_t writers = 0;
  for (const worker_link* each : from.slots()) {
    const call_id id = dispatcher_->head_of(each->number());
    if (id == call_id()) continue;
    out.id = ++writers == 1 ? id : call_id();
  }
  out.pid = from.pid();
  out.stream = stream;
  if (stream == 2) from.tail.add(out.id, turn_of_line(from, out.id), line);
  out.text = std::move(line);
  driver_->send(message_type::output, wire::pack(out));
}

COROLITH_DECL bool session::may_read_output() { return driver_ && driver_->queued_bytes() < output_waits_above; }

COROLITH_DECL void session::on_worker_gone(worker_link& from, const worker_death& how) {
  if (ended_) return;
  if (how.signal != 0)
    last_death_ = "killed by signal " + std::to_string(how.signal);
  else
    last_death_ = "exit status " + std::to_string(how.exit_status);
  if (const std::string said = from.host().tail.all(); !said.empty()) last_death_ += "\n" + said;
  dispatcher_->worker_gone(from.number(), how, steady_now());
  if (from.nested) driver_->send(message_type::nested_gone, bytes_of(from.number()));
  std::erase(to_flush_, &from);
  last_worker_ = nullptr;
  workers_.erase(from.number());
}

COROLITH_DECL void session::on_workers_gone() {
  if (ended_) return;
  if (shutting_down_) return shut_down_if_idle();
  end_of_turn();
}

// --- turns and time -------------------------------------------------------------------------------------------------

COROLITH_DECL void session::end_of_turn() {
  if (dispatcher_ && !shutting_down_) {
    dispatcher_->dispatch(steady_now());
    arm_tick();
  }
  for (worker_link* worker : to_flush_) {
    worker->needs_flush = false;
    worker->channel().flush();
  }
  to_flush_.clear();
  driver_->flush();
  slow_down_workers();
  if (segment_pool::of_process().keeps_any()) arm_give_back();
}

// Memory that values had is given back when none has needed it for a while.
COROLITH_DECL void session::arm_give_back() {
  if (std::exchange(gives_back_, true)) return;
  segments_timer_.expires_after(std::chrono::seconds(1));
  segments_timer_.async_wait([this](const asio::error_code& problem) {
    if (problem) return;
    gives_back_ = false;
    segment_pool& pool = segment_pool::of_process();
    pool.give_back(steady_now());
    if (pool.keeps_any()) arm_give_back();
  });
}

COROLITH_DECL void session::arm_tick() {
  const steady_time next = dispatcher_->tick(steady_now());
  if (next >= tick_at_) return;
  tick_at_ = next;
  tick_timer_.expires_at(next);
  tick_timer_.async_wait([this](const asio::error_code& problem) {
    if (problem) return;
    tick_at_ = steady_time::max();
    end_of_turn();
  });
}

COROLITH_DECL void session::slow_down_workers() {
  if (workers_paused_ || driver_->queued_bytes() < results_wait_above) return;
  workers_paused_ = true;
  for (auto& [number, worker] : workers_) worker->channel().pause_reading();
}

COROLITH_DECL void session::on_drained() {
  const bool paused = std::exchange(workers_paused_, false);
  for (auto& [number, worker] : workers_) {
    if (paused) worker->channel().resume_reading();
    worker->host().resume_output();
  }
}

COROLITH_DECL void session::watch_memory(worker_number number, std::uint64_t limit) {
  worker_link* worker = find(number);
  if (worker == nullptr) return;
  worker->memory_limit = limit;
  if (limit == 0) return;
  worker->memory_before = memory_use::of(worker->pid()).resident;
  arm_memory_watch();
}

COROLITH_DECL void session::arm_memory_watch() {
  if (std::exchange(memory_watch_armed_, true)) return;
  memory_timer_.expires_after(memory_watch_interval);
  memory_timer_.async_wait([this](const asio::error_code& problem) {
    if (problem) return;
    memory_watch_armed_ = false;
    bool any = false;
    for (auto& [number, worker] : workers_) {
      if (worker->memory_limit == 0) continue;
      any = true;
      if (memory_use::of(worker->pid()).resident > worker->memory_before + worker->memory_limit)
        dispatcher_->over_memory(number);
    }
    if (any) arm_memory_watch();
  });
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
