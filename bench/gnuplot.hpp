// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nodes.hpp"
#include "series.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

/// Pieces of gnuplot's scripts.
namespace bench::gnuplot {

inline std::string block(const char* name, const std::string& lines) {
  return fmt::format("${} << END\n{}END\n", name, lines);
}

inline std::string block(const char* name, const series& values) {
  std::string lines;
  for (const auto& [time, value] : values) lines += fmt::format("{:.6f} {:.6g}\n", time, value);
  return block(name, lines);
}

/// Between quotes of gnuplot's. What is not meant as such there cannot be in the name of a node or a file that we write.
inline std::string text(const std::string& name, const std::string& value) {
  std::string doubled;
  for (const char c : value) doubled += c == '\'' ? "''" : std::string(1, c);
  return fmt::format("{} = '{}'\n", name, doubled);
}

inline std::string number(const char* name, double value) { return fmt::format("{} = {:.9g}\n", name, value); }

/// Each node has a colour of its own as long as there are few.
inline std::string nodes_text(const std::vector<node>& nodes) {
  constexpr std::size_t colours = 6;
  std::string names;
  for (const node& each : nodes) names += each.name + " ";
  const bool all = nodes.size() > colours;
  return text("nodes", all ? "all" : names) + fmt::format("all_nodes = {:d}\n", all);
}

/// How all our figures look, and `terminal(kind)`, `output(figure, kind)`, `headline(text)` and `short(x)` for them. Wants `name` and
/// `work` set.
inline constexpr const char* style = R"GNUPLOT(
set encoding utf8
set border 3 lw 1 lc rgb '#555555'
set tics nomirror textcolor rgb '#222222'
set grid back lw 0.6 lc rgb '#d0d0d0' dt solid
blue = '#0072b2'; orange = '#d55e00'; grey = '#444444'; pale = '#f5d5c0'
colours = '#0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #f0e442'
terminal(kind) = kind eq 'svg' \
  ? 'set terminal svg size 900,560 dynamic enhanced font "DejaVu Sans,Helvetica,Arial,sans-serif" background "white"' \
  : 'set terminal pngcairo size 1350,840 enhanced font "DejaVu Sans,15" linewidth 1.5 background "white"'
output(figure, kind) = 'set output "' . name . '_' . figure . '.' . kind . '"'
short(x) = x < 1000 ? sprintf('%.4g', x) : sprintf('%.0f', x)
headline(text) = '"' . text . '\n{/*0.8 ' . work . '}" textcolor rgb "#222222"'
set lmargin 11
set rmargin 4
)GNUPLOT";

}  // namespace bench::gnuplot
