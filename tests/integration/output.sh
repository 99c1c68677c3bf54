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

# Progress, on standard error: on a long run now and then a line, whatever the log level; on a short one, or when turned off, none.
background() {
  local name=$1
  shift
  XDG_RUNTIME_DIR=$runtime "$examples/sleep" --slots 1 "$@" >/dev/null 2>"$scratch/$name" </dev/null &
}
background lines --progress lines --calls 14 --ms 500
long=$!
background never --progress never --calls 12 --ms 500
never=$!
background log_off --log-level off --calls 14 --ms 500
log_off=$!
background short --progress lines --calls 2 --ms 10
short=$!
for each in $long $never $log_off $short; do
  finished "$each"
  expect_status 0 "a run of sleep"
done
for name in lines log_off; do
  grep -qE '^corolith: [0-9]+ of 1[45] calls done, .* 1 agents? with 1 slots?' "$scratch/$name" || fail "no progress: $(cat "$scratch/$name")"
  grep -q $'[\r\033]' "$scratch/$name" && fail "progress for a terminal goes to a file"
done
for name in never short; do [ -s "$scratch/$name" ] && fail "$name: there is progress: $(cat "$scratch/$name")"; done
expect_nothing_left "all of these"

done_testing
