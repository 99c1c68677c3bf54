// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

/// What a benchmark writes with --outdir. `figures` names those that `script` makes: "execution,rates".
struct report_files {
  std::string bench;
  std::filesystem::path folder;
  std::string name;
  std::string report;  ///< JSON
  std::string script;  ///< of gnuplot
  std::string figures;
};

/// NAME.json, NAME.gp and, where there is gnuplot, the figures.
inline void write_files(const report_files& all) {
  std::filesystem::create_directories(all.folder);
  write_file(all.folder / (all.name + ".json"), all.report);
  write_file(all.folder / (all.name + ".gp"), all.script);
  const std::string shown = (all.folder / all.name).string();
  fmt::print(stderr, "{}: wrote {}.json\n", all.bench, shown);
  if (run_command({"gnuplot", "--version"}, noise::dropped).status != 0) {
    fmt::print(stderr,
               "{}: for the plots install gnuplot (apt-get install gnuplot-nox) and run: cd {} && gnuplot {}.gp\n",
               all.bench, all.folder.string(), all.name);
    return;
  }
  if (run_command({"env", "-C", all.folder.string(), "LC_ALL=C.UTF-8", "gnuplot", all.name + ".gp"}, noise::shown)
          .status != 0)
    throw std::runtime_error("gnuplot does not take " + shown + ".gp");
  fmt::print(stderr, "{}: wrote {}_{{{}}}.{{svg,png}}\n", all.bench, shown, all.figures);
}

}  // namespace bench
