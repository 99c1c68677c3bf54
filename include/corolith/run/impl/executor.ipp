// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker_context.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/run/detail/driver.hpp>
#include <corolith/run/detail/journaled.hpp>
#include <corolith/run/detail/large_values.hpp>
#include <corolith/run/detail/run_store.hpp>
#include <corolith/run/executor.hpp>

#include <fstream>
#include <iterator>
#include <string_view>

namespace corolith {
inline namespace v0 {

/// What copies of an executor share. Its end is the end of the agents.
struct executor::state {
  std::shared_ptr<detail::backend> where;
  std::shared_ptr<detail::run_store> values;  // null where there is no store

  state(std::shared_ptr<detail::backend> over, std::shared_ptr<detail::run_store> kept)
      : where(std::move(over)), values(std::move(kept)) {}
  ~state() { where->close(); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
};

namespace detail {

template <class T>
void replace(std::optional<T>& value, const std::optional<T>& by) {
  if (by) value = by;
}

inline std::vector<std::string> encode_environment(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> encoded;
  for (const auto& [name, value] : variables) {
    if (name.empty() || name.find_first_of(std::string("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos)
      throw config_error("call option env: '" + name + "' is no name of an environment variable");
    encoded.push_back(name + "=" + value);
  }
  return encoded;
}

/// A program whose main does not serve would, as a worker, start agents of its own, and these workers, without end.
inline void require_served() {
  if (agent::in_worker()) return;
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const std::size_t second = line.find('\0');
  if (second == std::string::npos || !std::string_view(line).substr(second + 1).starts_with("--corolith-")) return;
  throw error(errc::misuse,
              "this process was started as an agent or a worker, but its main did not serve: begin main with "
              "`if (auto status = corolith::serve_role(argc, argv)) return *status;` or use corolith::main");
}

}  // namespace detail

COROLITH_DECL executor::executor(const options& settings) : options_(settings.defaults) {
  detail::require_served();
  log::set_level(log::parse_level(settings.log_level));
  const std::shared_ptr<detail::run_store> values = detail::run_store::of_driver(settings);
  std::shared_ptr<detail::journal> journal;
  if (!settings.journal.empty()) journal = std::make_shared<detail::journal>(settings.journal, settings.journal_sync);
  std::shared_ptr<detail::backend> agents =
      detail::make_driver(settings, values->worker_environment(), values->folder());
  agents = detail::through_store(std::move(agents), values, true);
  if (journal) agents = detail::through_journal(std::move(agents), std::move(journal));
  state_ = std::make_shared<const state>(std::move(agents), values);
}

COROLITH_DECL executor::executor(std::shared_ptr<detail::backend> where, std::shared_ptr<detail::run_store> values)
    : state_(std::make_shared<const state>(std::move(where), std::move(values))) {}

COROLITH_DECL const corolith::store& executor::store() const {
  if (!state_->values) throw error(errc::misuse, "this executor has no store: its driver did not name one");
  return state_->values->objects();
}

COROLITH_DECL executor executor::with(const call_options& changed) const {
  executor other = *this;
  detail::replace(other.options_.timeout, changed.timeout);
  detail::replace(other.options_.retries, changed.retries);
  detail::replace(other.options_.cpus, changed.cpus);
  detail::replace(other.options_.gpus, changed.gpus);
  detail::replace(other.options_.memory, changed.memory);
  detail::replace(other.options_.chunk, changed.chunk);
  detail::replace(other.options_.journal, changed.journal);
  if (!changed.env.empty()) other.options_.env = changed.env;
  if (changed.timeout && *changed.timeout <= std::chrono::nanoseconds(0))
    throw config_error("call option timeout: it must be longer than zero");
  if (changed.cpus && *changed.cpus == 0) throw config_error("call option cpus: a call needs at least one");
  detail::encode_environment(changed.env);
  return other;
}

COROLITH_DECL detail::batch_request executor::request(codec::function_key function, byte_buffer shared,
                                                      bool is_map) const {
  detail::batch_request asked;
  asked.function = function;
  asked.shared = shared.release();
  asked.limits.timeout_ns = options_.timeout ? options_.timeout->count() : 0;
  asked.limits.memory = options_.memory.value_or(0);
  asked.limits.cpus = options_.cpus.value_or(1);
  asked.limits.gpus = options_.gpus.value_or(0);
  asked.limits.chunk = options_.chunk.value_or(0);
  asked.limits.environment = detail::encode_environment(options_.env);
  asked.retries = options_.retries.value_or(0);
  asked.journal = options_.journal;
  if (!asked.journal && is_map)
    asked.journal.emplace();
  else if (asked.journal && asked.journal->empty())
    asked.journal.reset();
  return asked;
}

COROLITH_DECL const std::shared_ptr<detail::backend>& executor::where() const noexcept { return state_->where; }

COROLITH_DECL void executor::cancel_all() const { where()->cancel_all(); }

COROLITH_DECL void executor::close() const { where()->close(); }

}  // namespace v0
}  // namespace corolith
