#!/usr/bin/env bash
# What appears on a driver's standard output and error.
source "$(dirname "$0")/library.bash"

# Workers' lines come out on standard error, with host, process and call; the driver's output is its own.
run "$programs/talker" lines
expect_status 0 "talker lines"
[ "$(cat "$scratch/out")" = "the driver's own output" ] || fail "standard output is not the driver's alone"
for line in 'out 0' 'second 0' 'err 0' 'out 1' 'second 2' 'err 2'; do
  expect_err "^\[[^ ]+ [0-9]+ [0-9]+\.[0-2]\] $line\$" "talker lines"
done
[ "$(wc -l <"$scratch/err")" = 9 ] || fail "standard error has not 9 lines"
grep -qE '\.1\] (out|err|second) [02]$' "$scratch/err" && fail "a line has the wrong call"

# Progress: on a long run, now and then a line; on a short one, none.
launch "$examples/sleep" --slots 1 --progress lines --calls 14 --ms 500
long=$pid
XDG_RUNTIME_DIR=$runtime "$examples/sleep" --slots 1 --progress lines --calls 2 --ms 10 2>"$scratch/short" >/dev/null || fail "a short run"
[ -s "$scratch/short" ] && fail "a short run writes progress: $(cat "$scratch/short")"
finished "$long"
expect_status 0 "a long run"
expect_err '^corolith: [0-9]+ of 1[45] calls done, .* 1 agents? with 1 slots?' "a long run"
grep -q $'[\r\033]' "$scratch/err" && fail "progress for a terminal goes to a file"

# Progress does not depend on the log level, and can be turned off.
launch "$examples/sleep" --slots 1 --progress never --calls 12 --ms 500
quiet=$pid
XDG_RUNTIME_DIR=$runtime "$examples/sleep" --slots 1 --log-level off --calls 12 --ms 500 2>"$scratch/off" >/dev/null || fail "a run without log"
grep -q '^corolith: .* calls done' "$scratch/off" || fail "--log-level off turns progress off"
finished "$quiet"
[ -s "$scratch/err" ] && fail "--progress never"
expect_nothing_left "all of these"

done_testing
