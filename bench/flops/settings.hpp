// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "job.hpp"

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/run/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bench::flops {

struct settings {
  job what;
  std::uint32_t tasks = 100;
  std::uint32_t rounds = 3;
  bool bare = true;
  bool numpy = true;
  bool mpi = true;
  bool scaling = false;
  std::string outdir;  ///< empty: no files are written
  std::string name;
  std::string python;
  corolith::options options;

  double gigaflop() const { return what.flop() * tasks / 1e9; }
};

namespace detail {

using entry = corolith::config::entry;

inline void choose_peers(settings& into, const entry& from) {
  std::string_view list = from.value;
  const bool all = list == "all";
  into.bare = into.numpy = into.mpi = all;
  if (all || list == "none") return;
  const std::array known{std::pair{"bare", &into.bare}, std::pair{"numpy", &into.numpy}, std::pair{"mpi", &into.mpi}};
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    const auto found = std::find_if(known.begin(), known.end(), [&](const auto& each) { return word == each.first; });
    if (found == known.end()) reject(from, fmt::format("'{}' is none of all, none, bare, numpy, mpi", word));
    *found->second = true;
  }
}

inline bool is_double(const entry& from) {
  if (from.value != "double" && from.value != "float")
    reject(from, fmt::format("'{}' is neither double nor float", from.value));
  return from.value == "double";
}

inline std::uint32_t count_of(const entry& from, std::uint32_t most) {
  return static_cast<std::uint32_t>(corolith::parse_number(from, 1, most));
}

struct flag_row {
  std::string_view name;
  const char* value;  ///< null: it takes none
  const char* help;
  void (*set)(settings&, const entry&);
};

inline constexpr std::array flag_rows{
    flag_row{"tasks", "N", "calls of the map (100)",
             [](settings& s, const entry& e) { s.tasks = count_of(e, 1'000'000); }},
    flag_row{"loopcount", "N", "products of matrices in one call (6)",
             [](settings& s, const entry& e) { s.what.loopcount = count_of(e, 1'000'000); }},
    flag_row{"matn", "N", "rows and columns of the matrices (1024)",
             [](settings& s, const entry& e) { s.what.matn = count_of(e, 65'536); }},
    flag_row{"precision", "NAME", "double or float (double)",
             [](settings& s, const entry& e) { s.what.is_double = is_double(e); }},
    flag_row{"rounds", "N", "how often each thing is measured, in turn (3)",
             [](settings& s, const entry& e) { s.rounds = count_of(e, 1'000); }},
    flag_row{"compare", "LIST", "all, none, or some of bare,numpy,mpi (all, with Slurm none)", choose_peers},
    flag_row{"scaling", nullptr, "measure with 1, 2, 4, ... calls at a time, too",
             [](settings& s, const entry&) { s.scaling = true; }},
    flag_row{"outdir", "FOLDER", "write a report and plots there",
             [](settings& s, const entry& e) { s.outdir = e.value; }},
    flag_row{"name", "NAME", "what these files are called (TASKS_flops)",
             [](settings& s, const entry& e) { s.name = e.value; }},
    flag_row{"python", "PROGRAM", "a Python that has numpy (python3, /usr/bin/python3)",
             [](settings& s, const entry& e) { s.python = e.value; }},
};

inline const flag_row& find_flag(const std::string& word, std::size_t equals) {
  const std::string_view name = std::string_view(word).substr(0, equals);
  for (const flag_row& row : flag_rows)
    if (name.starts_with("--") && name.substr(2) == row.name) return row;
  throw corolith::config_error(fmt::format("'{}' is no flag of flops; --help lists them", word));
}

}  // namespace detail

inline std::string flags_help() {
  std::string text = "\nflags of flops:\n";
  for (const detail::flag_row& row : detail::flag_rows)
    text += fmt::format("  --{:<24} {}\n", std::string(row.name) + " " + (row.value ? row.value : ""), row.help);
  return text;
}

/// From what corolith's own options left. Throws config_error.
inline settings parse_settings(const corolith::parsed_options& parsed) {
  settings made;
  made.options = parsed.value;
  made.what.threads = parsed.value.defaults.cpus.value_or(1);
  if (parsed.value.launcher != "local") made.bare = made.numpy = made.mpi = false;  // they would run on this node only
  for (std::size_t i = 0; i < parsed.rest.size(); ++i) {
    const std::string& word = parsed.rest[i];
    const std::size_t equals = word.find('=');
    const detail::flag_row& row = detail::find_flag(word, equals);
    detail::entry from{"", fmt::format("flag --{}", row.name)};
    if (row.value != nullptr && equals == std::string::npos && i + 1 == parsed.rest.size())
      reject(from, "a value was expected after it");
    if (equals != std::string::npos)
      from.value = word.substr(equals + 1);
    else if (row.value != nullptr)
      from.value = parsed.rest[++i];
    row.set(made, from);
  }
  if (made.outdir.empty() && !made.name.empty()) made.outdir = ".";
  if (made.name.empty()) made.name = fmt::format("{}_flops", made.tasks);
  return made;
}

}  // namespace bench::flops
