// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench::flops {

/// The commands of gnuplot behind the data, which plots.hpp writes in front of them.
inline constexpr const char* figures = R"GNUPLOT(
do for [kind in 'svg png'] {
  eval terminal(kind)
  set xrange [0:wall * 1.02]

  # Each call as a line over its time, and how many ran at once.
  eval output('execution', kind)
  eval 'set multiplot title ' . headline('Execution: ' . what)
  set tmargin at screen 0.88
  set bmargin at screen 0.68
  set format x ''
  unset xlabel
  set ylabel 'calls that run'
  set yrange [0:slots * 1.1]
  if (slots < 8) { set ytics 1 }
  plot $running using 1:2 with fillsteps fc rgb pale fs solid 1 notitle, \
       $running using 1:2 with steps lw 0.8 lc rgb orange notitle
  set key default inside top left Left reverse noenhanced opaque samplen 2 spacing 1.2 textcolor rgb '#222222'
  set tmargin at screen 0.63
  set bmargin at screen 0.12
  set format x '%g'
  set ytics autofreq
  set xlabel 'time since the map was called (s)'
  set ylabel 'call'
  set yrange [-0.02 * tasks:tasks * 1.02]
  plot for [i = 1:words(nodes)] $calls using 2:(all_nodes || $4 == i ? $1 : NaN):($3 - $2):(0) with vectors nohead \
         lw thick lc rgb word(colours, i) notitle, \
       for [i = 1:words(nodes)] keyentry with lines lw 4 lc rgb word(colours, i) \
         title (all_nodes ? 'a call' : 'a call on ' . word(nodes, i))
  unset multiplot
  unset tmargin
  set bmargin 7
  set key at graph 0.5, graph -0.14 center top horizontal maxrows 1 noopaque

  # How many calls reached which rate.
  eval output('rates', kind)
  eval 'set title ' . headline('Rates: ' . what)
  set xlabel 'rate of a call (GFLOPS)'
  set ylabel 'calls'
  set xrange [*:*]
  set yrange [0:*]
  if (tallest < 8) { set ytics 1 }
  set offsets graph 0.03, graph 0.03, graph 0.08, 0
  set style fill solid 0.75 border rgb 'white'
  set arrow 1 from middle, graph 0 to middle, graph 1 nohead front lw 1.5 dt 2 lc rgb orange
  plot $rates using (($1 + $2) / 2):3:($2 - $1) with boxes lw 0.5 lc rgb blue title 'calls  ', \
       keyentry with lines lw 1.5 dt 2 lc rgb orange title 'median: ' . short(middle)
  unset arrow 1
  unset offsets
  set ytics autofreq

  # What all calls did together.
  eval output('gflops', kind)
  eval 'set title ' . headline('Total rate: ' . what)
  set xlabel 'time since the map was called (s)'
  set ylabel 'GFLOPS'
  set xrange [0:wall * 1.02]
  set yrange [0:highest * 1.1]
  plot peak with lines lw 1.5 dt 2 lc rgb grey title 'measured peak: ' . short(peak) . '  ', \
       $over_time using 1:2 with lines lw 2.5 lc rgb blue title 'calls that run  ', \
       $effective using 1:2 with lines lw 2.5 lc rgb orange title 'results over time: ' . short(total)
  unset title
  unset output
}
)GNUPLOT";

}  // namespace bench::flops
