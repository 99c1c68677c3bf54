// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/slurm_environment.hpp>
#include <corolith/core/number.hpp>

#include <algorithm>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

COROLITH_DECL std::optional<std::uint32_t> entry_of_node(std::string_view list, std::uint32_t index) {
  std::uint64_t first = 0;  // node that the next entry starts with
  std::optional<std::uint32_t> found;
  for (bool more = true; more;) {
    const std::size_t comma = list.find(',');
    std::string_view entry = list.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) list.remove_prefix(comma + 1);
    std::uint32_t times = 1;
    if (const std::size_t open = entry.find("(x"); open != std::string_view::npos) {
      if (!entry.ends_with(')')) return std::nullopt;
      const auto count = whole_number<std::uint32_t>(entry.substr(open + 2, entry.size() - open - 3));
      if (!count) return std::nullopt;
      times = *count;
      entry = entry.substr(0, open);
    }
    const auto value = whole_number<std::uint32_t>(entry);
    if (!value || *value == 0 || times == 0) return std::nullopt;
    if (!found && index < first + times) found = *value;
    first += times;
  }
  return found;
}

/// Reads numbers from variables and keeps what is wrong with them.
class variable_reader {
 public:
  variable_reader(const get_variable& variable, std::vector<std::string>& warnings)
      : variable_(variable), warnings_(warnings) {}

  std::optional<std::string> text(const char* name) const {
    auto value = variable_(name);
    return value && !value->empty() ? value : std::nullopt;
  }
  /// A number above zero. Slurm writes "0" where it sets no limit.
  std::optional<std::uint64_t> number(const char* name, std::uint64_t most) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const auto parsed = whole_number<std::uint64_t>(*value);
    if (!parsed || *parsed > most) {
      ignore(name, *value, "is no number from 0 to " + std::to_string(most));
      return std::nullopt;
    }
    return *parsed == 0 ? std::nullopt : parsed;
  }
  void ignore(const char* name, const std::string& value, const std::string& why) const {
    warnings_.push_back(std::string(name) + " is ignored: '" + value + "' " + why);
  }

 private:
  const get_variable& variable_;
  std::vector<std::string>& warnings_;
};

inline constexpr std::uint64_t most_processors = 1U << 20U;

inline std::uint32_t slurm_slots(const variable_reader& read, const machine& here) {
  constexpr const char* list_name = "SLURM_JOB_CPUS_PER_NODE";
  const auto list = read.text(list_name);
  const auto index = read.text("SLURM_NODEID");
  if (list && index) {
    const auto number = whole_number<std::uint32_t>(*index);
    if (!number) read.ignore("SLURM_NODEID", *index, "is no number");
    const auto here_of_list = number ? entry_of_node(*list, *number) : std::nullopt;
    if (here_of_list) return *here_of_list;
    if (number) read.ignore(list_name, *list, "has no entry for node " + *index);
  }
  if (const auto on_node = read.number("SLURM_CPUS_ON_NODE", most_processors))
    return static_cast<std::uint32_t>(*on_node);
  return static_cast<std::uint32_t>(std::max<std::size_t>(1, here.usable_cpus.size()));
}

inline std::uint64_t slurm_memory(const variable_reader& read, std::uint32_t slots, const machine& here) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40U;  // MiB
  if (const auto node = read.number("SLURM_MEM_PER_NODE", most)) return *node * mebibyte;
  if (const auto each = read.number("SLURM_MEM_PER_CPU", most / most_processors)) return *each * mebibyte * slots;
  return here.memory;
}

inline std::uint32_t slurm_gpus(const variable_reader& read) {
  if (const auto on_node = read.number("SLURM_GPUS_ON_NODE", 1024)) return static_cast<std::uint32_t>(*on_node);
  const auto visible = read.text("CUDA_VISIBLE_DEVICES");
  if (!visible || *visible == "NoDevFiles" || *visible == "-1") return 0;
  return static_cast<std::uint32_t>(1 + std::count(visible->begin(), visible->end(), ','));
}

COROLITH_DECL void apply_slurm_environment(agent_options& options, const get_variable& variable, const machine& here,
                                           std::vector<std::string>& warnings) {
  const variable_reader read(variable, warnings);
  if (options.node_name.empty()) options.node_name = read.text("SLURMD_NODENAME").value_or("");
  if (options.slots == 0) options.slots = slurm_slots(read, here);
  if (options.memory == 0) options.memory = slurm_memory(read, options.slots, here);
  if (options.gpus == 0) options.gpus = slurm_gpus(read);
  // A set that was cut out for this job is its own to divide. On a node that is not divided other jobs, or another
  // agent, may run on any processor, and pinning would make workers wait for them.
  const bool confined = here.usable_cpus.size() < here.online_cpus;
  if (options.cpu_list.empty() && confined && here.usable_cpus.size() >= options.slots)
    options.cpu_list = here.usable_cpus;
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
