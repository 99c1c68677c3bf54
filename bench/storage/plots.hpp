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
#include <cstddef>
#include <string>

/// The three figures, as a script of gnuplot that holds its data.
namespace bench::storage {
namespace detail {

inline std::string calls_lines(const summary& map) {
  std::string lines;
  for (const timed_call& call : map.calls)
    lines += fmt::format("{} {:.6f} {:.6f}\n", call.index, call.began_s, call.ended_s);
  return lines;
}

inline std::string rates_lines(const summary& map) {
  std::string lines;
  for (const bin& each : map.rates) lines += fmt::format("{:.9g} {:.9g} {}\n", each.from, each.to, each.count);
  return lines;
}

/// The data of one phase, each block and number under the phase's name.
struct phase_data {
  std::string name;
  std::string text;
  double highest = 0;
  std::size_t tallest = 0;
};

inline phase_data data_of(const summary& map, double mb_per_call) {
  phase_data made;
  made.name = map.what == phase::write ? "write" : "read";
  const std::size_t spans = std::clamp<std::size_t>(map.calls.size() / map.workers.size(), 10, 150);
  const series over_time = rate_over_time(map.calls, map.wall_s, mb_per_call, spans);
  for (const auto& [time, rate] : over_time) made.highest = std::max(made.highest, rate);
  for (const bin& each : map.rates) made.tallest = std::max(made.tallest, each.count);
  const auto name = [&](const char* what) { return made.name + "_" + what; };
  made.text = gnuplot::block(name("calls").c_str(), calls_lines(map)) +
              gnuplot::block(name("rates").c_str(), rates_lines(map)) +
              gnuplot::block(name("over_time").c_str(), over_time) +
              gnuplot::block(name("effective").c_str(), effective_rate(map.calls, mb_per_call)) +
              gnuplot::number(name("wall").c_str(), map.wall_s) + gnuplot::number(name("total").c_str(), map.mb_s) +
              gnuplot::number(name("middle").c_str(), median(call_rates(map)));
  return made;
}

}  // namespace detail

inline std::string plot_script(const settings& with, const outcome& all) {
  std::string script =
      fmt::format("# From corolith's bench/storage. gnuplot {}.gp makes the figures again.\n", with.name);
  std::string phases;
  double highest = 0;
  std::size_t tallest = 0;
  for (const measured_phase* each : all.typical()) {
    const detail::phase_data data = detail::data_of(each->map, with.what.moved(each->map.what) / 1e6);
    phases += (phases.empty() ? "" : " ") + data.name;
    highest = std::max(highest, data.highest);
    tallest = std::max(tallest, data.tallest);
    script += data.text;
  }
  const summary& map = all.typical()[0]->map;
  script += gnuplot::text("phases", phases) + gnuplot::text("name", with.name);
  script +=
      gnuplot::text("what", fmt::format("{} on {} of {}", counted(with.number, "object"),
                                        counted(map.workers.size(), "worker"), counted(map.nodes.size(), "node")));
  script += gnuplot::text("work", fmt::format("each object: {} MiB", with.what.bytes >> 20U));
  script += gnuplot::number("number", with.number) + gnuplot::number("highest", highest) +
            gnuplot::number("tallest", static_cast<double>(tallest)) +
            gnuplot::number("thick", std::clamp(300.0 / with.number, 0.3, 8.0));
  return script + gnuplot::style + figures;
}

}  // namespace bench::storage
