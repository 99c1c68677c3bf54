// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulated_agent.hpp"

#include <corolith/agent/agent.hpp>
#include <corolith/wire/listener.hpp>
#include <corolith/wire/secret.hpp>

#include <asio/io_context.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Many simulated agents in one process, which the driver starts as its local agent.
namespace bench::scale {

inline constexpr const char* count_variable = "BENCH_SCALE_AGENTS";
inline constexpr const char* ready_variable = "BENCH_SCALE_READY";  // a file that is made once all agents are ready

/// As many descriptors as this user may have: each agent has one, in the driver, too.
inline void allow_many_connections() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class swarm {
 public:
  explicit swarm(const corolith::agent::agent_options& given, std::size_t count) : given_(given), running_(io_) {
    if (!given.secret_file.empty()) secret_ = corolith::wire::secret::load(given.secret_file);
    for (std::size_t i = 0; i < count; ++i)
      agents_.push_back(
          std::make_unique<simulated_agent>(hello_of(i), running_, [this] { one_ready(); }, [this] { one_gone(); }));
  }

  void run() {
    for (std::size_t i = 0; i < at_once && i < agents_.size(); ++i) connect_next();
    io_.run();
  }

 private:
  static constexpr std::size_t at_once = 32;

  corolith::wire::agent_hello hello_of(std::size_t number) const {
    corolith::wire::agent_hello hello;
    hello.host = "node" + std::to_string(number);
    hello.pid = static_cast<std::int32_t>(::getpid());
    hello.cpus = given_.slots;
    hello.memory = given_.memory;
    if (number == 0) hello.launch_tag = given_.launch_tag;  // the one that the launcher waits for
    return hello;
  }

  void connect_next() {
    if (next_ == agents_.size()) return;
    simulated_agent& agent = *agents_[next_++];
    corolith::wire::hello mine;
    mine.role = corolith::wire::role::agent;
    corolith::wire::async_connect(
        io_, corolith::wire::address::parse(given_.connect), secret_, mine, corolith::wire::role::driver,
        [this, &agent](const std::exception_ptr& problem, std::shared_ptr<corolith::wire::channel> channel) {
          if (problem) std::rethrow_exception(problem);
          agent.start(std::move(channel));
          connect_next();
        });
  }
  void one_ready() {
    if (++ready_ == agents_.size()) std::ofstream(std::getenv(ready_variable)) << "ready\n";
  }
  void one_gone() {
    if (++gone_ == agents_.size()) io_.stop();
  }

  corolith::agent::agent_options given_;
  std::optional<corolith::wire::secret> secret_;
  asio::io_context io_{1};
  running_calls running_;
  std::vector<std::unique_ptr<simulated_agent>> agents_;
  std::size_t next_ = 0, ready_ = 0, gone_ = 0;
};

/// `words` are those that a local agent is started with.
inline int serve_swarm(const std::vector<std::string>& words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  allow_many_connections();
  try {
    swarm(corolith::agent::parse_agent_options(words), std::stoul(std::getenv(count_variable))).run();
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "scale: the simulated agents end: %s\n", problem.what());
    return 1;
  }
}

}  // namespace bench::scale
