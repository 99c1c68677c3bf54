// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../measure.hpp"
#include "figures.hpp"
#include "outcome.hpp"
#include "series.hpp"
#include "settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

/// The three figures, as a script of gnuplot that holds its data.
namespace bench::flops {
namespace detail {

inline std::string block(const char* name, const std::string& lines) {
  return fmt::format("${} << END\n{}END\n", name, lines);
}

inline std::string block(const char* name, const series& values) {
  std::string lines;
  for (const auto& [time, value] : values) lines += fmt::format("{:.6f} {:.6g}\n", time, value);
  return block(name, lines);
}

inline std::string calls_block(const summary& map) {
  std::string lines;
  for (const timed_call& call : map.calls) {
    const auto node = std::lower_bound(map.nodes.begin(), map.nodes.end(), map.workers[call.worker].agent,
                                       [](const auto& each, const std::string& name) { return each.name < name; });
    lines += fmt::format("{} {:.6f} {:.6f} {}\n", call.index, call.began_s, call.ended_s, node - map.nodes.begin() + 1);
  }
  return block("calls", lines);
}

inline std::string rates_block(const summary& map) {
  std::string lines;
  for (const bin& each : map.rates) lines += fmt::format("{:.9g} {:.9g} {}\n", each.from, each.to, each.count);
  return block("rates", lines);
}

/// Between quotes of gnuplot's. What is not meant as such there cannot be in the name of a node or a file that we write.
inline std::string text(const std::string& name, const std::string& value) {
  std::string doubled;
  for (const char c : value) doubled += c == '\'' ? "''" : std::string(1, c);
  return fmt::format("{} = '{}'\n", name, doubled);
}

inline std::string number(const char* name, double value) { return fmt::format("{} = {:.9g}\n", name, value); }

/// Each node has a colour of its own as long as there are few.
inline std::string nodes_text(const summary& map) {
  constexpr std::size_t colours = 6;
  std::string names;
  for (const node& each : map.nodes) names += each.name + " ";
  const bool all = map.nodes.size() > colours;
  return text("nodes", all ? "all" : names) + fmt::format("all_nodes = {:d}\n", all);
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
  const series over_time = rate_over_time(map, flop, spans);
  double highest = typical.peak.gflops;
  std::size_t tallest = 0;
  for (const bin& each : map.rates) tallest = std::max(tallest, each.count);
  for (const auto& [time, rate] : over_time) highest = std::max(highest, rate);
  script += detail::block("running", running_calls(map.calls)) + detail::block("over_time", over_time);
  script += detail::block("effective", effective_rate(map.calls, flop));
  script += detail::nodes_text(map) + detail::text("name", with.name);
  script += detail::text("what", fmt::format("{} on {} of {}", counted(map.calls.size(), "call"),
                                             counted(map.workers.size(), "worker"), counted(map.nodes.size(), "node")));
  script += detail::text("work", fmt::format("each call: {0} of {1} × {1} matrices, {2} precision",
                                             counted(with.what.loopcount, "product"), with.what.matn,
                                             with.what.is_double ? "double" : "single"));
  script += detail::number("wall", map.wall_s) + detail::number("tasks", with.tasks) +
            detail::number("slots", static_cast<double>(map.workers.size())) +
            detail::number("peak", typical.peak.gflops) + detail::number("highest", highest) +
            detail::number("tallest", static_cast<double>(tallest)) + detail::number("total", map.total_gflops) +
            detail::number("middle", median(call_rates(map))) +
            detail::number("thick", std::clamp(300.0 / with.tasks, 0.3, 5.0));
  return script + figures;
}

}  // namespace bench::flops
