// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../files.hpp"
#include "outcome.hpp"
#include "plots.hpp"
#include "report_file.hpp"
#include "settings.hpp"

namespace bench::flops {

/// NAME.json, NAME.gp and, where there is gnuplot, the figures.
inline void write_files(const settings& with, const outcome& all) {
  bench::write_files(
      {"flops", with.outdir, with.name, report_text(with, all), plot_script(with, all), "execution,rates,gflops"});
}

}  // namespace bench::flops
