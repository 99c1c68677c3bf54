// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench::storage {

/// The commands of gnuplot behind the data, which plots.hpp writes in front of them. `phases` holds "write", "read" or both.
inline constexpr const char* figures = R"GNUPLOT(
both = words(phases)
colour(phase) = phase eq 'write' ? orange : blue
verb(phase) = phase eq 'write' ? 'writes' : 'reads'
get(phase, what) = value(phase . '_' . what)
wall = get(word(phases, 1), 'wall')
if (both == 2) { wall = get('write', 'wall') > get('read', 'wall') ? get('write', 'wall') : get('read', 'wall') }

do for [kind in 'svg png'] {
  eval terminal(kind)

  # Each call as a line over its time; the two maps have their own beginnings.
  eval output('execution', kind)
  eval 'set multiplot title ' . headline('Execution: ' . what)
  set xrange [0:wall * 1.02]
  set yrange [-0.02 * number:number * 1.02]
  set ylabel 'call'
  set key default inside top left Left reverse noenhanced opaque samplen 2 spacing 1.2 textcolor rgb '#222222'
  do for [i = 1:both] {
    phase = word(phases, i)
    set tmargin at screen 0.88 - (i - 1) * (0.76 / both)
    set bmargin at screen 0.88 - i * (0.76 / both) + (i < both ? 0.04 : 0)
    if (i < both) { set format x ''; unset xlabel } else { set format x '%g'; set xlabel 'time since the map was called (s)' }
    eval 'plot $' . phase . '_calls using 2:1:($3 - $2):(0) with vectors nohead lw thick lc rgb colour(phase) notitle, ' . \
         'keyentry with lines lw 4 lc rgb colour(phase) title verb(phase)'
  }
  unset multiplot
  unset tmargin
  set bmargin 7
  set format x '%g'
  set key at graph 0.5, graph -0.14 center top horizontal maxrows 1 noopaque

  # How many calls reached which rate.
  eval output('rates', kind)
  eval 'set title ' . headline('Rates: ' . what)
  set xlabel 'rate of a call (MB/s)'
  set ylabel 'calls'
  set xrange [0:*]
  set yrange [0:*]
  if (tallest < 8) { set ytics 1 }
  set offsets graph 0.03, graph 0.03, graph 0.08, 0
  set style fill solid 0.6 border rgb 'white'
  line = 'plot '
  do for [i = 1:both] {
    phase = word(phases, i)
    line = line . '$' . phase . '_rates using (($1 + $2) / 2):3:($2 - $1) with boxes lw 0.5 lc rgb "' . colour(phase) . \
           '" title "' . verb(phase) . ', median ' . short(get(phase, 'middle')) . '  "' . (i < both ? ', ' : '')
  }
  eval line
  unset offsets
  set ytics autofreq

  # What all calls did together.
  eval output('bandwidth', kind)
  eval 'set title ' . headline('Bandwidth: ' . what)
  set xlabel 'time since the map was called (s)'
  set ylabel 'MB/s'
  set xrange [0:wall * 1.02]
  set yrange [0:highest * 1.1]
  set key at graph 0.5, graph -0.14 center top horizontal maxrows 2 noopaque
  line = 'plot '
  do for [i = 1:both] {
    phase = word(phases, i)
    line = line . '$' . phase . '_over_time using 1:2 with lines lw 2.5 lc rgb "' . colour(phase) . '" title "' . verb(phase) . \
           ' that run  ", $' . phase . '_effective using 1:2 with lines lw 2 dt 2 lc rgb "' . colour(phase) . \
           '" title "results over time: ' . short(get(phase, 'total')) . '"' . (i < both ? ', ' : '')
  }
  eval line
  unset title
  unset output
}
)GNUPLOT";

}  // namespace bench::storage
