// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/resident_session.hpp>

#include <corolith/agent/detail/parent.hpp>
#include <corolith/agent/detail/parent_death.hpp>
#include <corolith/agent/detail/setup.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/core/process_status.hpp>
#include <corolith/core/spawn.hpp>
#include <corolith/core/unique_fd.hpp>

#include <asio/post.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

COROLITH_DECL resident_session::resident_session(agent_options options, std::vector<wire::address> places,
                                                 std::optional<wire::secret> secret)
    : options_(std::move(options)),
      places_(std::move(places)),
      secret_(std::move(secret)),
      io_(1),
      signals_(io_),
      patience_(io_),
      slots_(capacity_of_node(options_)) {}

COROLITH_DECL int resident_session::run() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGURG, parent_death_signal()}) signals_.add(number);
  if (options_.parent_pid != 0) ::prctl(PR_SET_PDEATHSIG, parent_death_signal());
  wait_for_signals();
  if (parent_is_gone(options_)) return 1;
  connect();
  io_.run();
  return status_;
}

COROLITH_DECL void resident_session::wait_for_signals() {
  signals_.async_wait([this](const asio::error_code& problem, int number) {
    if (problem) return;
    on_signal(number);
    if (!io_.stopped()) wait_for_signals();
  });
}

COROLITH_DECL void resident_session::on_signal(int number) {
  if (number == SIGCHLD) return reap();
  if (number == SIGURG) {
    log::info("the time of this node is nearly over");
    if (head_) head_->send(wire::message_type::pool_ending, wire::pack(wire::pool_ending{"its time is nearly over"}));
    return;
  }
  if (number == parent_death_signal() && !parent_is_gone(options_)) return;
  log::info("ends by " + describe_signal(number));
  finish(number == parent_death_signal() ? 1 : 128 + number);
}

COROLITH_DECL void resident_session::connect() {
  search_settings how;
  how.total = std::chrono::milliseconds(options_.connect_timeout);
  how.mine = wire::role::resident;
  how.theirs = wire::role::head;
  search_ = std::make_shared<driver_search>(
      io_, places_, std::exchange(secret_, std::nullopt), how,
      [this](const std::exception_ptr& problem, std::shared_ptr<wire::channel> channel, std::size_t) {
        if (!problem) return on_connected(std::move(channel));
        log::error(wire::explain_end(problem));
        finish(1);
      });
  search_->run();
}

COROLITH_DECL void resident_session::on_connected(std::shared_ptr<wire::channel> channel) {
  head_ = std::move(channel);
  wire::channel::events handlers;
  handlers.on_message = [this](wire::message&& got) { on_message(std::move(got)); };
  handlers.on_close = [this](const std::exception_ptr& reason) { on_closed(reason); };
  head_->start(std::move(handlers));
  head_->keep_alive(std::chrono::seconds(2), std::chrono::seconds(60));
  wire::pool_resident hello;
  hello.host = options_.node_name;
  hello.pid = static_cast<std::int32_t>(::getpid());
  hello.cpus = options_.slots;
  hello.gpus = options_.gpus;
  hello.memory = options_.memory;
  hello.job = options_.job;
  head_->send(wire::message_type::pool_resident, wire::pack(hello));
}

COROLITH_DECL void resident_session::on_closed(const std::exception_ptr& reason) {
  if (reason && !finishing_) log::warning("the head of the pool is lost: " + wire::explain_end(reason));
  finish(reason && !finishing_ ? 1 : status_);
}

COROLITH_DECL void resident_session::on_message(wire::message&& got) {
  switch (got.type) {
    case wire::message_type::pool_lease: return start_agent(wire::unpack<wire::pool_lease>(got.body));
    case wire::message_type::pool_lease_end:
      return end_agent(wire::unpack<wire::pool_lease_end>(got.body).lease, "its driver is gone");
    case wire::message_type::shutdown: return finish(0);
    default: log::debug("a message that is not for residents");
  }
}

COROLITH_DECL std::vector<std::string> resident_session::arguments_of(const wire::pool_lease& lease,
                                                                      const slot_share& share) const {
  std::vector<std::string> words{own_executable_path(), "--corolith-agent", "connect=" + lease.connect};
  words.push_back("node_name=" + options_.node_name);
  words.push_back(fmt::format("slots={}", lease.slots));
  words.push_back(fmt::format("gpus={}", share.gpus.size()));
  words.push_back(fmt::format("memory={}", lease.memory));
  words.push_back(fmt::format("launch_tag={}", lease.lease));
  words.push_back(fmt::format("parent_pid={}", ::getpid()));
  words.push_back(fmt::format("rejoin={}", lease.rejoin_ms));
  if (!lease.secret.empty()) words.emplace_back("secret_file=-");
  if (!share.pinned.empty()) words.push_back(fmt::format("cpu_list={}", fmt::join(share.pinned, ",")));
  const std::string& cache = lease.cache_folder.empty() ? options_.cache_folder : lease.cache_folder;
  if (!cache.empty()) words.push_back("cache_folder=" + cache);
  if (!lease.log_level.empty()) words.push_back("log_level=" + lease.log_level);
  return words;
}

COROLITH_DECL void resident_session::start_agent(const wire::pool_lease& lease) {
  if (finishing_ || agents_.contains(lease.lease)) return;
  std::optional<slot_share> share = slots_.acquire(lease.slots, lease.gpus);
  if (!share || share->cpus != lease.slots) {
    if (share) slots_.release(*share);
    return tell_ended(lease.lease, "the node has no such slots free");
  }
  // The secret is short enough to wait in the pipe for the agent.
  std::array<int, 2> ends{-1, -1};
  const std::string secret = lease.secret.empty() ? std::string() : lease.secret + "\n";
  int failure = ::pipe2(ends.data(), O_CLOEXEC) != 0 ? errno : 0;
  const unique_fd from(ends[0]), into(ends[1]);
  if (failure == 0 && ::write(into.get(), secret.data(), secret.size()) != static_cast<ssize_t>(secret.size()))
    failure = EIO;
  const unique_fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  pid_t pid = 0;
  if (failure == 0) {
    // CUDA's names of its GPUs; the environment of this process is read by nobody else meanwhile.
    const bool names = !share->gpus.empty();
    const char* set = std::getenv("CUDA_VISIBLE_DEVICES");
    const std::optional<std::string> before = set == nullptr ? std::nullopt : std::optional<std::string>(set);
    if (names) ::setenv("CUDA_VISIBLE_DEVICES", fmt::format("{}", fmt::join(share->gpus, ",")).c_str(), 1);
    failure = process::spawn(pid, own_executable, arguments_of(lease, *share), {from.get(), null.get(), 2},
                             process::apart::group);
    if (names && before) ::setenv("CUDA_VISIBLE_DEVICES", before->c_str(), 1);
    if (names && !before) ::unsetenv("CUDA_VISIBLE_DEVICES");
  }
  if (failure != 0) {
    slots_.release(*share);
    return tell_ended(lease.lease, std::string("no agent can be started: ") + std::strerror(failure));
  }
  agents_.emplace(lease.lease, leased_agent{pid, std::move(*share), {}});
}

COROLITH_DECL void resident_session::end_agent(std::uint64_t lease, const std::string& why) {
  const auto found = agents_.find(lease);
  if (found == agents_.end()) return;
  found->second.why = why;
  ::kill(found->second.pid, SIGTERM);
}

COROLITH_DECL void resident_session::reap() {
  for (auto at = agents_.begin(); at != agents_.end();) {
    int status = 0;
    if (::waitpid(at->second.pid, &status, WNOHANG) != at->second.pid) {
      ++at;
      continue;
    }
    slots_.release(at->second.share);
    const std::string why = at->second.why.empty() ? describe_wait_status(status) : at->second.why;
    const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    tell_ended(at->first, well ? std::string() : why);
    at = agents_.erase(at);
  }
  finish_if_alone();
}

COROLITH_DECL void resident_session::tell_ended(std::uint64_t lease, const std::string& reason) {
  if (head_) head_->send(wire::message_type::pool_lease_ended, wire::pack(wire::pool_lease_ended{lease, reason}));
}

// Agents have a moment to end their workers; what is left then is killed, and its workers with it.
COROLITH_DECL void resident_session::finish(int status) {
  if (std::exchange(finishing_, true)) return finish_if_alone();
  status_ = status;
  for (auto& [lease, agent] : agents_) ::kill(agent.pid, SIGTERM);
  patience_.expires_after(std::chrono::seconds(3));
  patience_.async_wait([this](const asio::error_code& problem) {
    if (problem) return;
    for (auto& [lease, agent] : agents_) ::kill(agent.pid, SIGKILL);
  });
  finish_if_alone();
}

COROLITH_DECL void resident_session::finish_if_alone() {
  if (!finishing_ || !agents_.empty()) return;
  patience_.cancel();
  if (head_ && head_->is_open()) return head_->close_when_sent();  // on_closed comes back here
  io_.stop();
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
