// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker.hpp>

#include <corolith/agent/detail/blame.hpp>
#include <corolith/agent/detail/call_failure.hpp>
#include <corolith/agent/detail/memory_watch.hpp>
#include <corolith/agent/detail/parent_death.hpp>
#include <corolith/agent/detail/progress_page.hpp>
#include <corolith/agent/detail/shared_arguments.hpp>
#include <corolith/agent/detail/slot_mail.hpp>
#include <corolith/agent/detail/slot_page.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/segment_pool.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/blocking_link.hpp>
#include <corolith/wire/messages.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio_ext.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <iostream>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

using wire::message_type;

inline constexpr std::int64_t hold_ns = 1'000'000;  // a result waits about as long for company, if calls wait, too
inline constexpr std::size_t hold_bytes = 64 * 1024;
inline constexpr std::size_t share_bytes = 64 * 1024;  // a larger result is handed over, not copied

/// What the slots of a worker process share.
struct worker_process_state {
  explicit worker_process_state(bool with_threads) : threads(with_threads) {}

  const bool threads;  // slots are threads
  std::once_flag placed;
  shared_arguments_table arguments;
  std::mutex handler_mutex;
  std::shared_ptr<uplink::handler> handler;
};

// One slot, with two threads. The main thread runs the calls and, while it has none, waits for messages itself: a call on an idle
// worker costs one wake-up. The watcher takes over receiving and flushing while a call runs for longer than its tick of 1 ms, and
// sleeps while nothing runs at all. Slots of one process have connections of their own, and so do not meet when they send.
class worker_process_main final : public uplink {
 public:
  worker_process_main(std::shared_ptr<worker_process_state> process, unique_fd fd, progress_page& page)
      : process_(std::move(process)),
        fd_(std::move(fd)),
        page_(page),
        link_(fd_.get()),
        wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    reader_.accept_segments();
  }

  /// On the thread that is to run the calls.
  void run();

  void send_up(message_type inner, byte_span head, shared_bytes tail) override;
  void set_handler(handler on_message) override;
  void blocked(const call_id& id) override { tell(message_type::blocked, id); }
  void unblocked(const call_id& id) override { tell(message_type::unblocked, id); }

 private:
  struct known_batch {
    std::uint64_t id = 0;
    codec::function_key function{};
    codec::thunk run = nullptr;
    shared_bytes shared;
    std::shared_ptr<shared_arguments> common;  // of all slots
    std::shared_ptr<void> decoded;             // of `shared`, kept from call to call
    bool settled = false;                      // `shared` and `decoded` are those of all slots
    std::uint64_t memory = 0;
  };
  struct waiting_call {
    call_id id;
    shared_bytes body;
  };

  bool next_call(waiting_call& out);
  void run_call(waiting_call& call);
  bool invoke(known_batch& batch, byte_span element, wire::result_head& head);
  void send_result(const wire::result_head& head, bool more_to_do);
  known_batch* find_batch(std::uint64_t id);
  void apply_memory_limit(std::uint64_t limit);

  void receive(int timeout_ms);  // holds in_mutex_
  void handle(wire::message&& got);
  void set_up(const wire::worker_setup& setup);
  void cancel(const call_id& id);
  void recall(const call_id& id);
  bool drop_waiting(const call_id& id);
  void tell(message_type type, const call_id& id);

  void watch() noexcept;
  void watch_tick(std::uint64_t& seen);
  void try_receive();
  void poke() noexcept;
  void agent_is_gone() noexcept;

  const std::shared_ptr<worker_process_state> process_;
  const unique_fd fd_;
  progress_page& page_;
  wire::blocking_link link_;
  const unique_fd wake_fd_;

  std::mutex in_mutex_;  // whoever receives
  wire::frame_reader reader_;

  std::mutex queue_mutex_;  // guards the next four and batches_
  std::deque<waiting_call> queue_;
  call_id running_id_{};
  std::stop_source stop_;
  bool stop_requested_ = false;
  std::unordered_map<std::uint64_t, std::unique_ptr<known_batch>> batches_;
  std::vector<std::unique_ptr<known_batch>> closed_;  // freed by the main thread: one of them may be in use

  // Odd while a call runs. The main thread writes it; the watcher sees from it how long the same call has been running.
  std::atomic<std::uint64_t> steps_{0};
  std::atomic<bool> busy_{false};       // the main thread is not waiting for messages
  std::atomic<bool> parked_{false};     // the watcher sleeps until it is poked
  std::atomic<bool> watching_{false};   // the watcher waits for messages, and nobody would flush for the main thread
  std::atomic<bool> attention_{false};  // the call talks to its agent: the watcher should listen at once
  std::atomic<bool> shutdown_{false};
  std::atomic<bool> ending_{false};

  // The main thread's own.
  const std::int32_t pid_ = static_cast<std::int32_t>(::getpid());
  slot_context context_;
  current_call current_;
  byte_buffer result_;
  known_batch* last_batch_ = nullptr;
  memory_limit memory_limit_;
  std::uint64_t slot_memory_ = 0;
  std::int64_t held_since_ns_ = 0;
  std::int64_t now_ns_ = 0;
};

inline std::int64_t system_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Before the result: whoever has the result has the output too. Where slots are threads std::cout holds nothing back (see
// run_worker_threads), as it is not for several threads at once when the program has taken it apart from stdout. And stdout is looked at
// before its lock is taken, in which all would meet: what this thread has written it sees.
inline void flush_output(bool threads) noexcept {
  if (!threads || ::__fpending(stdout) != 0) std::fflush(stdout);
  if (threads) return;
  try {
    std::cout.flush();
  } catch (const std::exception&) {  // the function asked for exceptions from its stream; it has ended
  }
}

// --- the main thread --------------------------------------------------------------------------------------------------

inline void worker_process_main::run() {
  context_.up = this;
  (process_->threads ? thread_slot : only_slot) = &context_;
  std::thread watcher([this] { watch(); });
  try {
    waiting_call call;
    while (next_call(call)) run_call(call);
    link_.flush();
  } catch (const std::exception& problem) {  // nothing that a function throws comes here: the connection is broken
    log::debug(std::string("worker: ") + problem.what());
    agent_is_gone();
  }
  ending_ = true;
  poke();
  watcher.join();
  (process_->threads ? thread_slot : only_slot) = nullptr;
  // It is closed when nobody has this uplink any more. To the agent the end of a process's only connection is the end of it.
  if (process_->threads) ::shutdown(fd_.get(), SHUT_RDWR);
}

inline bool worker_process_main::next_call(waiting_call& out) {
  for (;;) {
    {
      const std::lock_guard lock(queue_mutex_);
      if (!closed_.empty()) {
        last_batch_ = nullptr;
        closed_.clear();
      }
      if (!queue_.empty()) {
        out = std::move(queue_.front());
        queue_.pop_front();
        running_id_ = out.id;
        if (stop_requested_) {  // the last call's token must not stop this one
          stop_ = std::stop_source();
          stop_requested_ = false;
          current_.stop = {};
        }
        break;
      }
    }
    if (shutdown_) return false;
    link_.flush();
    busy_ = false;
    now_ns_ = 0;
    const std::lock_guard lock(in_mutex_);
    bool empty;
    {
      const std::lock_guard queue_lock(queue_mutex_);
      empty = queue_.empty();
    }
    if (empty && !shutdown_) receive(-1);
  }
  if (!busy_.load(std::memory_order_relaxed)) {
    busy_ = true;
    if (parked_) poke();
  }
  return true;
}

inline worker_process_main::known_batch* worker_process_main::find_batch(std::uint64_t id) {
  if (last_batch_ != nullptr && last_batch_->id == id) return last_batch_;
  const std::lock_guard lock(queue_mutex_);
  const auto found = batches_.find(id);
  return found == batches_.end() ? nullptr : last_batch_ = found->second.get();
}

inline void worker_process_main::apply_memory_limit(std::uint64_t limit) {
  if (limit == 0) limit = slot_memory_;
  memory_limit_.set(limit);
}

inline void worker_process_main::run_call(waiting_call& call) {
  current_.id = call.id;
  if (!current_.stop.stop_possible()) current_.stop = stop_.get_token();
  known_batch* batch = find_batch(call.id.batch);
  wire::result_head head;
  head.id = call.id;
  head.pid = pid_;
  result_.clear();
  result_.share_when_large();
  result_.extend(sizeof head);
  head.started_ns = now_ns_ != 0 ? now_ns_ : system_ns();
  if (batch == nullptr) {
    head.kind = wire::outcome_kind::codec;
    codec::encode(result_, wire::failure{"", "a call of a batch that this worker does not know", "", "", 0, 0});
  } else {
    apply_memory_limit(batch->memory);
    context_.call = &current_;
    page_.enter(call.id);
    steps_.store(steps_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    invoke(*batch, call.body.span().subspan(sizeof(call_id)), head);
    flush_output(process_->threads);
    steps_.store(steps_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
    attention_.store(false, std::memory_order_relaxed);
    context_.call = nullptr;
    call.body = {};  // who hears of the result may use the memory of a large argument again
    if (const auto hook = call_ended.load(std::memory_order_acquire)) hook(call.id);
  }
  head.ended_ns = now_ns_ = system_ns();
  bool more;
  {
    const std::lock_guard lock(queue_mutex_);
    running_id_ = {};
    more = !queue_.empty();
  }
  send_result(head, more);
  page_.leave();
}

// Appends the encoded result or failure to result_. False when the call failed.
inline bool worker_process_main::invoke(known_batch& batch, byte_span element, wire::result_head& head) {
  call_failure problem;
  try {
    if (batch.run != nullptr) {
      std::optional<shared_bytes> fetched;
      if (courier.fetch != nullptr && (fetched = courier.fetch(element))) element = *fetched;
      codec::invocation call{batch.shared.span(), element, result_, &batch.decoded};
      if (!batch.settled) {
        batch.shared = batch.common->bytes(batch.shared);
        call.shared = batch.shared.span();
        call.cache = &batch.common->decoded;
        call.cache_guard = &batch.common->guard;
      }
      batch.run(call);
      if (!std::exchange(batch.settled, true)) batch.decoded = batch.common->kept();
      if (courier.send != nullptr) courier.send(result_, sizeof head);
      return true;
    }
    problem.kind = wire::outcome_kind::unknown_function;
    problem.what.what = "the worker's program does not have the function " + codec::describe_function(batch.function) +
                        ": driver and worker run different versions of the program";
  } catch (...) {
    bool stopped;
    {
      const std::lock_guard lock(queue_mutex_);
      stopped = stop_requested_;
    }
    try {
      problem = call_failure::current(stopped, memory_limit_.active());
    } catch (...) {  // no memory left to say what happened
      problem.what.what = "an exception that could not be described";
    }
  }
  head.kind = problem.kind;
  memory_limit_.set(0);
  result_.truncate(sizeof head);
  codec::encode(result_, problem.what);
  return false;
}

inline void worker_process_main::send_result(const wire::result_head& head, bool more_to_do) {
  std::memcpy(result_.data(), &head, sizeof head);
  if (link_.queued_bytes() == 0) held_since_ns_ = head.ended_ns;
  if (result_.size() <= share_bytes) {
    link_.append(message_type::result, result_.span());
  } else {
    const shared_bytes body = result_.release();
    link_.append(message_type::result, bytes_of(head), body.slice(sizeof head));
  }
  // What is held when the next call takes long is sent by the watcher; while that waits for messages itself, nothing is held.
  const bool hold =
      more_to_do && head.ended_ns - held_since_ns_ < hold_ns && link_.queued_bytes() < hold_bytes && !watching_.load();
  if (hold) return;
  if (more_to_do)
    link_.try_flush();  // or the watcher is at it
  else
    link_.flush();
}

// --- receiving: whichever thread does it ------------------------------------------------------------------------------

inline void worker_process_main::receive(int timeout_ms) {
  if (!link_.receive(reader_, timeout_ms)) return;
  wire::message got;
  while (reader_.next(got)) handle(std::move(got));
}

inline void worker_process_main::handle(wire::message&& got) {
  switch (got.type) {
    case message_type::call: {
      const auto id = wire::read_head<call_id>(got.body);
      const std::lock_guard lock(queue_mutex_);
      queue_.push_back({id, std::move(got.body)});
      return;
    }
    case message_type::batch_open: {
      auto opened = codec::decode_all<wire::batch_open>(got.body);
      auto made = std::make_unique<known_batch>();
      made->id = opened.batch;
      made->function = opened.function;
      made->run = codec::find_function(opened.function);
      made->shared = std::move(opened.shared);
      made->common = process_->arguments.of(opened.batch);
      made->memory = opened.limits.memory;
      const std::lock_guard lock(queue_mutex_);
      auto& place = batches_[opened.batch];
      if (place) closed_.push_back(std::move(place));
      place = std::move(made);
      return;
    }
    case message_type::batch_close: {
      const auto id = wire::unpack<wire::batch_close>(got.body).batch;
      const std::lock_guard lock(queue_mutex_);
      const auto found = batches_.find(id);
      if (found == batches_.end()) return;
      closed_.push_back(std::move(found->second));
      batches_.erase(found);
      return;
    }
    case message_type::cancel: return cancel(wire::read_head<call_id>(got.body));
    case message_type::recall: return recall(wire::read_head<call_id>(got.body));
    case message_type::nested_down: {
      const auto inner = wire::read_head<message_type>(got.body);
      std::shared_ptr<handler> to;
      {
        const std::lock_guard lock(process_->handler_mutex);
        to = process_->handler;
      }
      if (to && *to) (*to)(inner, got.body.slice(1));
      return;
    }
    case message_type::worker_setup: return set_up(wire::unpack<wire::worker_setup>(got.body));
    case message_type::shutdown: shutdown_ = true; return;
    default: return;
  }
}

// This thread; nothing is lost where it is refused.
inline void run_on(const std::vector<std::int32_t>& cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const std::int32_t cpu : cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<unsigned>(cpu), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// The first message: the main thread, which waits for it, is the one that gets it.
inline void worker_process_main::set_up(const wire::worker_setup& setup) {
  current_.host = setup.host;
  slot_memory_ = setup.memory_limit;
  if (!setup.cpus.empty()) run_on(setup.cpus);
  std::call_once(process_->placed, [&] {
    segment_pool::of_process().allow(segment_limits::of_machine(setup.workers));
    if (!setup.working_directory.empty() && ::chdir(setup.working_directory.c_str()) != 0)
      log::warning("cannot change to the directory " + setup.working_directory + ": " + std::strerror(errno));
  });
  link_.append(message_type::worker_hello, wire::pack(wire::worker_hello{pid_}));
  link_.flush();
}

inline bool worker_process_main::drop_waiting(const call_id& id) {
  const std::lock_guard lock(queue_mutex_);
  for (auto call = queue_.begin(); call != queue_.end(); ++call) {
    if (call->id != id) continue;
    queue_.erase(call);
    return true;
  }
  return false;
}

// To the agent a call that was not started is `returned`, whatever the reason.
inline void worker_process_main::recall(const call_id& id) {
  if (drop_waiting(id)) tell(message_type::returned, id);
}

inline void worker_process_main::cancel(const call_id& id) {
  if (drop_waiting(id)) return tell(message_type::returned, id);
  std::stop_source to_stop(std::nostopstate);
  {
    const std::lock_guard lock(queue_mutex_);
    if (running_id_ != id || stop_requested_) return;
    stop_requested_ = true;
    to_stop = stop_;
  }
  to_stop.request_stop();  // runs the callbacks of the function
}

inline void worker_process_main::tell(message_type type, const call_id& id) {
  link_.append(type, bytes_of(id));
  link_.flush();
}

inline void worker_process_main::send_up(message_type inner, byte_span head, shared_bytes tail) {
  byte_buffer prefixed(head.size() + 1);
  prefixed.append_value(inner);
  prefixed.append(head);
  link_.append(message_type::nested_up, prefixed.span(), std::move(tail));
  link_.flush();
  if (!attention_.exchange(true)) poke();
}

inline void worker_process_main::set_handler(handler on_message) {
  auto made = std::make_shared<handler>(std::move(on_message));
  const std::lock_guard lock(process_->handler_mutex);
  process_->handler.swap(made);
}

// --- the watcher ------------------------------------------------------------------------------------------------------

inline void worker_process_main::poke() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_fd_.get(), &one, sizeof one);
}

inline void worker_process_main::try_receive() {
  const std::unique_lock lock(in_mutex_, std::try_to_lock);
  if (lock.owns_lock()) receive(0);
}

inline constexpr int look_at_memory_ms = 1000;

// One round: at most 1 ms, or 1 s while one call runs and nothing comes.
inline void worker_process_main::watch_tick(std::uint64_t& seen) {
  pollfd fds[2] = {{wake_fd_.get(), POLLIN, 0}, {fd_.get(), POLLIN, 0}};
  const std::uint64_t step = steps_;
  const bool runs = step % 2 == 1;
  const bool stuck = runs && (step == seen || attention_);
  seen = step;
  if (runs && link_.queued_bytes() != 0) link_.try_flush();
  if (!stuck) {
    ::poll(fds, 1, 1);
    if (busy_) try_receive();
  } else {
    watching_ = true;
    if (steps_ == step) {
      if (link_.queued_bytes() != 0) link_.try_flush();
      ::poll(fds, 2, look_at_memory_ms);  // the call may end and leave memory, with nothing more to come
      if (fds[1].revents != 0 && busy_) try_receive();
    }
    watching_ = false;
  }
  std::uint64_t pokes;
  if (fds[0].revents != 0) [[maybe_unused]]
    const auto got = ::read(wake_fd_.get(), &pokes, sizeof pokes);
}

inline void worker_process_main::watch() noexcept {
  constexpr int ticks_before_sleep = 20;
  segment_pool& pool = segment_pool::of_process();
  std::uint64_t seen = 0;
  int idle_ticks = 0;
  try {
    while (!ending_) {
      watch_tick(seen);
      pool.give_back(std::chrono::steady_clock::now());
      idle_ticks = busy_ ? 0 : idle_ticks + 1;
      if (idle_ticks < ticks_before_sleep) continue;
      parked_ = true;
      pollfd wake{wake_fd_.get(), POLLIN, 0};
      if (!busy_ && !ending_) ::poll(&wake, 1, pool.keeps_any() ? look_at_memory_ms : -1);
      parked_ = false;
      idle_ticks = 0;
    }
  } catch (const std::exception& problem) {
    log::debug(std::string("worker: ") + problem.what());
    agent_is_gone();
  }
}

inline void worker_process_main::agent_is_gone() noexcept { kill_own_group(); }

inline void begin_worker() {
  die_with_parent(parent_death::kill_group);
  log::set_role("worker " + std::to_string(::getpid()));
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // lines of a call that still runs are of interest
  is_worker = true;
}

/// The threads of the slots that a process has had, of which those that have ended are joined from time to time.
class slot_threads {
  struct slot {
    std::thread thread;
    std::atomic<bool> ended{false};
  };

 public:
  ~slot_threads() {
    for (slot& each : slots_) each.thread.join();
  }
  void start(const std::shared_ptr<worker_process_state>& process, slot_mail::delivery&& got) {
    std::erase_if(slots_, [](slot& each) {
      if (!each.ended) return false;
      each.thread.join();
      return true;
    });
    slot& made = slots_.emplace_back();
    try {
      made.thread = std::thread(&slot_threads::run, process, std::move(got), std::ref(made));
    } catch (const std::system_error& problem) {  // the agent sees the connection end
      log::error(std::string("worker: no thread for another slot: ") + problem.what());
      slots_.pop_back();
    }
  }

 private:
  static void run(const std::shared_ptr<worker_process_state>& process, slot_mail::delivery got, slot& made) {
    const slot_page shared(std::move(got.page));
    const blamed_thread blamed(shared.page());
    std::make_shared<worker_process_main>(process, std::move(got.connection), shared.page())->run();
    made.ended = true;
  }

  std::list<slot> slots_;
};

}  // namespace detail

COROLITH_DECL int run_worker(int fd, int page_fd) {
  detail::begin_worker();
  const detail::slot_page page((unique_fd(page_fd)));
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // not for the programs that a function may start
  // Never closed: the agent would end a process whose connection is gone, and this one has to end orderly.
  ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  auto process = std::make_shared<detail::worker_process_state>(false);
  std::make_shared<detail::worker_process_main>(std::move(process), unique_fd(fd), page.page())->run();
  detail::is_worker = false;
  return 0;
}

COROLITH_DECL int run_worker_threads(int slots_fd) {
  detail::begin_worker();
  std::cout << std::unitbuf;
  ::fcntl(slots_fd, F_SETFD, FD_CLOEXEC);
  const unique_fd mail(slots_fd);
  detail::blame_crashes();
  {
    const auto process = std::make_shared<detail::worker_process_state>(true);
    detail::slot_threads slots;
    while (auto got = detail::slot_mail::receive(mail.get())) slots.start(process, std::move(*got));
  }
  detail::is_worker = false;
  return 0;
}

}  // namespace agent
}  // namespace v0
}  // namespace corolith
