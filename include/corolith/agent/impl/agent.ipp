// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/agent.hpp>

#include <corolith/agent/detail/session.hpp>
#include <corolith/agent/worker.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

template <class Number>
Number parse_number(std::string_view name, std::string_view text) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size())
    throw config_error("agent: " + std::string(name) + " must be a number, not '" + std::string(text) + "'");
  return value;
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

inline std::uint32_t usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

inline void set_option(agent_options& options, std::string_view name, std::string_view value) {
  const std::string text(value);
  if (name == "connect") options.connect = text;
  else if (name == "secret_file") options.secret_file = text;
  else if (name == "node_name") options.node_name = text;
  else if (name == "slots") options.slots = parse_number<std::uint32_t>(name, value);
  else if (name == "cpu_list") options.cpu_list = parse_list(name, value);
  else if (name == "memory") options.memory = parse_number<std::uint64_t>(name, value);
  else if (name == "gpus") options.gpus = parse_number<std::uint32_t>(name, value);
  else if (name == "launch_tag") options.launch_tag = text;
  else if (name == "cache_folder") options.cache_folder = text;
  else if (name == "session_folder") options.session_folder = text;
  else if (name == "parent_pid") options.parent_pid = parse_number<std::int32_t>(name, value);
  else if (name == "log_level") options.log_level = text;
  else throw config_error("agent: unknown option '" + std::string(name) + "'");
}

inline int serve_worker(int argc, char** argv) {
  int fd = -1, page = -1;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("fd=")) fd = parse_number<int>("fd", word.substr(3));
    else if (word.starts_with("page=")) page = parse_number<int>("page", word.substr(5));
  }
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

COROLITH_DECL int run_agent(agent_options options) {
  if (!options.log_level.empty()) log::set_level(log::parse_level(options.log_level));
  if (options.node_name.empty()) {
    char name[256] = {};
    options.node_name = ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
  }
  if (options.slots == 0) options.slots = detail::usable_processors();
  log::set_role("agent " + options.node_name);
  return detail::session(std::move(options)).run();
}

COROLITH_DECL std::optional<int> serve(int argc, char** argv) {
  if (argc < 2) return std::nullopt;
  const std::string_view role = argv[1];
  try {
    if (role == "--corolith-worker") return detail::serve_worker(argc, argv);
    if (role == "--corolith-agent") return run_agent(parse_agent_options({argv + 2, argv + argc}));
  } catch (const std::exception& problem) {
    log::error(problem.what());
    return 1;
  }
  return std::nullopt;
}

}  // namespace agent
}  // namespace v0
}  // namespace corolith
