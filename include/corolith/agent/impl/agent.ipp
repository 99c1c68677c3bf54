// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/agent.hpp>

#include <corolith/agent/detail/driver_search.hpp>
#include <corolith/agent/detail/parent.hpp>
#include <corolith/agent/detail/parent_death.hpp>
#include <corolith/agent/detail/session.hpp>
#include <corolith/agent/detail/setup.hpp>
#include <corolith/agent/detail/slurm_environment.hpp>
#include <corolith/agent/resident.hpp>
#include <corolith/agent/worker.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/number.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

template <class Number>
Number parse_number(std::string_view name, std::string_view text) {
  if (const auto value = whole_number<Number>(text)) return *value;
  throw config_error("agent: " + std::string(name) + " must be a number, not '" + std::string(text) + "'");
}

inline std::uint64_t parse_milliseconds(std::string_view name, std::string_view text) {
  constexpr std::uint64_t most = 1000ULL * 60 * 60 * 24 * 365;
  const auto value = parse_number<std::uint64_t>(name, text);
  if (value > most)
    throw config_error("agent: " + std::string(name) + " must be at most " + std::to_string(most) + " ms");
  return value;
}

inline std::string parse_environment(std::string_view text) {
  if (!text.empty() && text != "slurm")
    throw config_error("agent: environment must be slurm or empty, not '" + std::string(text) + "'");
  return std::string(text);
}

inline std::vector<int> parse_list(std::string_view name, std::string_view text) {
  std::vector<int> list;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    list.push_back(parse_number<int>(name, text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return list;
}

inline void set_option(agent_options& options, std::string_view name, std::string_view value) {
  const std::string text(value);
  if (name == "connect")
    options.connect = text;
  else if (name == "secret_file")
    options.secret_file = text;
  else if (name == "connect_timeout")
    options.connect_timeout = parse_milliseconds(name, value);
  else if (name == "rejoin")
    options.rejoin = parse_milliseconds(name, value);
  else if (name == "environment")
    options.environment = parse_environment(value);
  else if (name == "node_name")
    options.node_name = text;
  else if (name == "slots")
    options.slots = parse_number<std::uint32_t>(name, value);
  else if (name == "cpu_list")
    options.cpu_list = parse_list(name, value);
  else if (name == "memory")
    options.memory = parse_number<std::uint64_t>(name, value);
  else if (name == "gpus")
    options.gpus = parse_number<std::uint32_t>(name, value);
  else if (name == "launch_tag")
    options.launch_tag = text;
  else if (name == "cache_folder")
    options.cache_folder = text;
  else if (name == "parent_pid")
    options.parent_pid = parse_number<std::int32_t>(name, value);
  else if (name == "log_level")
    options.log_level = text;
  else if (name == "job")
    options.job = text;
  else
    throw config_error("agent: unknown option '" + std::string(name) + "'");
}

inline int serve_worker(int argc, char** argv) {
  int fd = -1, page = -1, slots = -1;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("fd="))
      fd = parse_number<int>("fd", word.substr(3));
    else if (word.starts_with("page="))
      page = parse_number<int>("page", word.substr(5));
    else if (word.starts_with("slots="))
      slots = parse_number<int>("slots", word.substr(6));
  }
  // Executed through a descriptor, it is named after that by older kernels.
  const std::string_view program = argv[0];
  ::prctl(PR_SET_NAME, std::string(program.substr(program.rfind('/') + 1)).c_str());
  if (slots >= 0) return run_worker_threads(slots);
  if (fd < 0) throw config_error("--corolith-worker is for agents, which start workers with fd=N");
  return run_worker(fd, page);
}

}  // namespace detail

COROLITH_DECL agent_options parse_agent_options(const std::vector<std::string>& words) {
  agent_options options;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw config_error("agent: expected name=value, not '" + word + "'");
    detail::set_option(options, std::string_view(word).substr(0, equals), std::string_view(word).substr(equals + 1));
  }
  return options;
}

namespace detail {

/// Holds the signals that end an agent back while no session listens to them.
class held_signals {
 public:
  held_signals() noexcept : ending_(session::ending_signals()) { ::pthread_sigmask(SIG_BLOCK, &ending_, &before_); }
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;
  ~held_signals() {
    const timespec now{};
    while (::sigtimedwait(&ending_, nullptr, &now) > 0) {  // it ends anyway
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t ending_, before_;
};

inline constexpr std::chrono::milliseconds first_rejoin_pause{100};
inline constexpr std::chrono::milliseconds longest_rejoin_pause{5000};

/// One session after another, as long as the driver is lost by the network and found again in time.
inline int serve_driver(const agent_options& options, const std::vector<wire::address>& places,
                        const std::optional<wire::secret>& secret) {
  using std::chrono::milliseconds;
  const held_signals held;
  if (options.parent_pid != 0) ::prctl(PR_SET_PDEATHSIG, parent_death_signal());
  search_settings search;
  search.total = milliseconds(options.connect_timeout);
  milliseconds pause = first_rejoin_pause;
  for (;;) {
    const session_end end = session(options, places, secret).run(search);
    const milliseconds hope = std::min(end.hope, milliseconds(options.rejoin));
    if (hope.count() <= 0 || parent_is_gone(options)) return end.status;
    log::warning("agent: looks for the driver again, for " + std::to_string(hope.count()) + " ms");
    // A driver that drops this agent again and again is asked more and more seldom.
    pause = end.was_ready ? first_rejoin_pause : std::min(2 * pause, longest_rejoin_pause);
    search = {pause, hope, search.attempt, end.place, search.mine, search.theirs};
  }
}

}  // namespace detail

COROLITH_DECL int run_agent(agent_options options) {
  if (!options.log_level.empty()) log::set_level(log::parse_level(options.log_level));
  const std::vector<wire::address> places = detail::parse_addresses(options.connect);
  detail::fill_in(options);
  log::set_role("agent " + options.node_name);
  const detail::closed_process closed(!options.secret_file.empty());
  const std::optional<wire::secret> secret = detail::secret_for(options, places);
  return detail::serve_driver(options, places, secret);
}

COROLITH_DECL std::optional<int> serve(int argc, char** argv) {
  if (argc < 2) return std::nullopt;
  const std::string_view role = argv[1];
  try {
    if (role == "--corolith-worker") return detail::serve_worker(argc, argv);
    if (role == "--corolith-agent") return run_agent(parse_agent_options({argv + 2, argv + argc}));
    if (role == "--corolith-resident") return run_resident(parse_agent_options({argv + 2, argv + argc}));
  } catch (const std::exception& problem) {
    log::error(problem.what());
    return 1;
  }
  return std::nullopt;
}

}  // namespace agent
}  // namespace v0
}  // namespace corolith
