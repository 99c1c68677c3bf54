// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"
#include "outcome.hpp"
#include "plots.hpp"
#include "report_file.hpp"
#include "settings.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench::flops {
namespace detail {

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace detail

/// NAME.json, NAME.gp and, where there is gnuplot, the figures.
inline void write_files(const settings& with, const outcome& all) {
  const std::filesystem::path folder = with.outdir;
  std::filesystem::create_directories(folder);
  detail::write_file(folder / (with.name + ".json"), report_text(with, all));
  detail::write_file(folder / (with.name + ".gp"), plot_script(with, all));
  const std::string shown = (folder / with.name).string();
  fmt::print(stderr, "flops: wrote {}.json\n", shown);
  if (run_command({"gnuplot", "--version"}, noise::dropped).status != 0) {
    fmt::print(stderr,
               "flops: for the plots install gnuplot (apt-get install gnuplot-nox) and run: cd {} && gnuplot {}.gp\n",
               folder.string(), with.name);
    return;
  }
  if (run_command({"env", "-C", folder.string(), "LC_ALL=C.UTF-8", "gnuplot", with.name + ".gp"}, noise::shown)
          .status != 0)
    throw std::runtime_error("gnuplot does not take " + shown + ".gp");
  fmt::print(stderr, "flops: wrote {}_{{execution,rates,gflops}}.{{svg,png}}\n", shown);
}

}  // namespace bench::flops
