// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../flags.hpp"
#include "job.hpp"

#include <corolith/run/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

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

inline void choose_peers(settings& into, const flag_value& from) {
  const std::vector<std::string> chosen = choose(from, {"bare", "numpy", "mpi"});
  const auto has = [&](const char* name) { return std::find(chosen.begin(), chosen.end(), name) != chosen.end(); };
  into.bare = has("bare");
  into.numpy = has("numpy");
  into.mpi = has("mpi");
}

inline bool is_double(const flag_value& from) {
  if (from.value != "double" && from.value != "float")
    reject(from, fmt::format("'{}' is neither double nor float", from.value));
  return from.value == "double";
}

using row = flag_row<settings>;
inline constexpr std::array flag_rows{
    row{"tasks", "N", "calls of the map (100)",
        [](settings& s, const flag_value& e) { s.tasks = count_of(e, 1'000'000); }},
    row{"loopcount", "N", "products of matrices in one call (6)",
        [](settings& s, const flag_value& e) { s.what.loopcount = count_of(e, 1'000'000); }},
    row{"matn", "N", "rows and columns of the matrices (1024)",
        [](settings& s, const flag_value& e) { s.what.matn = count_of(e, 65'536); }},
    row{"precision", "NAME", "double or float (double)",
        [](settings& s, const flag_value& e) { s.what.is_double = is_double(e); }},
    row{"rounds", "N", "how often each thing is measured, in turn (3)",
        [](settings& s, const flag_value& e) { s.rounds = count_of(e, 1'000); }},
    row{"compare", "LIST", "all, none, or some of bare,numpy,mpi (all, with Slurm none)", choose_peers},
    row{"scaling", nullptr, "measure with 1, 2, 4, ... calls at a time, too",
        [](settings& s, const flag_value&) { s.scaling = true; }},
    row{"outdir", "FOLDER", "write a report and plots there",
        [](settings& s, const flag_value& e) { s.outdir = e.value; }},
    row{"name", "NAME", "what these files are called (TASKS_flops)",
        [](settings& s, const flag_value& e) { s.name = e.value; }},
    row{"python", "PROGRAM", "a Python that has numpy (python3, /usr/bin/python3)",
        [](settings& s, const flag_value& e) { s.python = e.value; }},
};

}  // namespace detail

inline std::string flags_help() { return "\nflags of flops:\n" + flags_text(detail::flag_rows); }

/// From what corolith's own options left. Throws config_error.
inline settings parse_settings(const corolith::parsed_options& parsed) {
  settings made;
  made.options = parsed.value;
  made.what.threads = parsed.value.defaults.cpus.value_or(1);
  if (parsed.value.launcher != "local") made.bare = made.numpy = made.mpi = false;  // they would run on this node only
  parse_flags(detail::flag_rows, "flops", parsed.rest, made);
  if (made.outdir.empty() && !made.name.empty()) made.outdir = ".";
  if (made.name.empty()) made.name = fmt::format("{}_flops", made.tasks);
  return made;
}

}  // namespace bench::flops
