// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../gnuplot.hpp"
#include "../measure.hpp"
#include "../series.hpp"
#include "figures.hpp"
#include "outcome.hpp"
#include "settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

/// The three figures, as a script of gnuplot that holds its data.
namespace bench::flops {
namespace detail {

inline std::string calls_block(const summary& map) {
  std::string lines;
  for (const timed_call& call : map.calls) {
    const auto node = std::lower_bound(map.nodes.begin(), map.nodes.end(), map.workers[call.worker].agent,
                                       [](const auto& each, const std::string& name) { return each.name < name; });
    lines += fmt::format("{} {:.6f} {:.6f} {}\n", call.index, call.began_s, call.ended_s, node - map.nodes.begin() + 1);
  }
  return gnuplot::block("calls", lines);
}

inline std::string rates_block(const summary& map) {
  std::string lines;
  for (const bin& each : map.rates) lines += fmt::format("{:.9g} {:.9g} {}\n", each.from, each.to, each.count);
  return gnuplot::block("rates", lines);
}

}  // namespace detail

inline std::string plot_script(const settings& with, const outcome& all) {
  const round_result& typical = all.typical();
  const summary& map = typical.map;
  const double flop = with.what.flop();
  const std::size_t spans = std::clamp<std::size_t>(map.calls.size() / map.workers.size(), 10, 150);
  std::string script =
      fmt::format("# From corolith's bench/flops. gnuplot {}.gp makes the figures again.\n", with.name);
  script += detail::calls_block(map) + detail::rates_block(map);
  const series over_time = rate_over_time(map.calls, map.wall_s, flop / 1e9, spans);
  double highest = typical.peak.gflops;
  std::size_t tallest = 0;
  for (const bin& each : map.rates) tallest = std::max(tallest, each.count);
  for (const auto& [time, rate] : over_time) highest = std::max(highest, rate);
  script += gnuplot::block("running", running_calls(map.calls)) + gnuplot::block("over_time", over_time);
  script += gnuplot::block("effective", effective_rate(map.calls, flop / 1e9));
  script += gnuplot::nodes_text(map.nodes) + gnuplot::text("name", with.name);
  script +=
      gnuplot::text("what", fmt::format("{} on {} of {}", counted(map.calls.size(), "call"),
                                        counted(map.workers.size(), "worker"), counted(map.nodes.size(), "node")));
  script += gnuplot::text("work", fmt::format("each call: {0} of {1} × {1} matrices, {2} precision",
                                              counted(with.what.loopcount, "product"), with.what.matn,
                                              with.what.is_double ? "double" : "single"));
  script += gnuplot::number("wall", map.wall_s) + gnuplot::number("tasks", with.tasks) +
            gnuplot::number("slots", static_cast<double>(map.workers.size())) +
            gnuplot::number("peak", typical.peak.gflops) + gnuplot::number("highest", highest) +
            gnuplot::number("tallest", static_cast<double>(tallest)) + gnuplot::number("total", map.total_gflops) +
            gnuplot::number("middle", median(call_rates(map))) +
            gnuplot::number("thick", std::clamp(300.0 / with.tasks, 0.3, 5.0));
  return script + gnuplot::style + figures;
}

}  // namespace bench::flops
