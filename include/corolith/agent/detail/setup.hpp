// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/slurm_environment.hpp>
#include <corolith/agent/options.hpp>
#include <corolith/agent/slots.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/wire/address.hpp>
#include <corolith/wire/secret.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

/// What an agent and a resident do before they connect.
namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline machine this_machine() {
  machine here;
  here.usable_cpus = usable_cpus();
  here.online_cpus = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  here.memory = physical_memory();
  return here;
}

/// What an agent with these options has to give.
inline node_capacity capacity_of_node(const agent_options& options) {
  node_capacity node;
  node.cpus = options.slots;
  node.memory = options.memory;
  node.cpu_list = options.cpu_list;
  std::string known;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) known = visible;
  for (std::uint32_t i = 0; i < options.gpus; ++i) {
    const std::size_t comma = known.find(',');
    const std::string name = known.substr(0, comma);
    node.gpu_names.push_back(name.empty() ? std::to_string(i) : name);
    known = comma == std::string::npos ? std::string() : known.substr(comma + 1);
  }
  return node;
}

/// What a process may not lose to others while it lives: it can be traced and its memory be dumped by root alone. Calls
/// run in other processes, which stay as they are.
class closed_process {
 public:
  explicit closed_process(bool wanted) noexcept : before_(wanted ? ::prctl(PR_GET_DUMPABLE) : 0) {
    if (before_ == 1) ::prctl(PR_SET_DUMPABLE, 0);
  }
  closed_process(const closed_process&) = delete;
  closed_process& operator=(const closed_process&) = delete;
  ~closed_process() {
    if (before_ == 1) ::prctl(PR_SET_DUMPABLE, 1);
  }

 private:
  int before_;
};

inline std::optional<wire::secret> secret_for(const agent_options& options, const std::vector<wire::address>& places) {
  const bool needed = std::any_of(places.begin(), places.end(),
                                  [](const wire::address& each) { return each.kind == wire::address::family::tcp; });
  if (options.secret_file.empty()) {
    if (needed)
      throw config_error("agent: " + options.connect + " needs secret_file: connections over TCP are always encrypted");
    return std::nullopt;
  }
  if (options.secret_file != "-") return wire::secret::load(options.secret_file);
  auto secret = wire::secret::read(0, "on standard input");
  // It may be a file, which others could open once more through this process's descriptors.
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) ::dup2(null, 0);
  if (null > 0) ::close(null);
  return secret;
}

inline void fill_in(agent_options& options) {
  if (options.environment == "slurm") {
    std::vector<std::string> warnings;
    const auto variable = [](const char* name) -> std::optional<std::string> {
      const char* value = std::getenv(name);
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    apply_slurm_environment(options, variable, this_machine(), warnings);
    for (const std::string& each : warnings) log::warning("agent: " + each);
  }
  if (options.node_name.empty()) options.node_name = host_name();
  if (options.slots == 0) options.slots = static_cast<std::uint32_t>(usable_cpus().size());
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
