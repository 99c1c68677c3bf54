#!/usr/bin/env bash
# Ctrl-C, SIGTERM and SIGKILL in the middle of the work.
source "$(dirname "$0")/library.bash"

no_files() { [ -z "$(find "$1" -type f)" ]; }

# Starts something that would take hours, and returns when its calls run.
start() {
  launch "$examples/sleep" --slots 2 "$@"
  until_true "workers" some --corolith-worker
  until_true "its calls" calls_run
}
# The workers are up and their first call has passed: the driver says so where it says more.
calls_run() { [ "$(processes --corolith-worker | wc -l)" -ge 2 ] && [ -n "$(ls -A "$runtime")" ]; }

# In the middle of very many calls.
start --calls 1000 --ms 60000
kill -INT "$pid"
finished "$pid"
expect_status 130 "Ctrl-C"
expect_err 'interrupted' "Ctrl-C"
expect_nothing_left "Ctrl-C"

start --calls 1000 --ms 60000
kill -TERM "$pid"
finished "$pid"
expect_status 143 "SIGTERM"
expect_nothing_left "SIGTERM"

# A second Ctrl-C does not wait for calls that take their time to stop.
start --calls 1000 --ms 60000 --grace 1h
again() {
  kill -INT "$pid" 2>/dev/null
  ended "$pid"
}
until_true "the second Ctrl-C to end it" again
finished "$pid"
expect_status 130 "a second Ctrl-C"
expect_no_err 'interrupted' "a second Ctrl-C"
expect_nothing_left "a second Ctrl-C"

# Before there is an agent.
launch "$examples/sleep" --slots 2 --calls 1000 --ms 60000
kill -INT "$pid"
finished "$pid"
expect_status 130 "Ctrl-C at the very beginning"
expect_nothing_left "Ctrl-C at the very beginning"

# Nothing of the driver's own can run any more.
start --calls 1000 --ms 60000 --agents 2
kill -KILL "$pid"
finished "$pid"
expect_status 137 "SIGKILL"
expect_nothing_left "SIGKILL"

# At any time of its start: it makes its folder, starts its agents, meets them.
for ms in $(seq 0 4 60); do
  launch "$examples/sleep" --slots 2 --calls 1000 --ms 60000
  sleep "$(printf 0.%03d "$ms")"
  kill -KILL "$pid"
  finished "$pid"
done
expect_nothing_left "SIGKILL at the very beginning"

# What calls have started goes with their workers.
for signal in INT KILL; do
  launch "$programs/talker" --slots 1 children "$scratch/children"
  until_true "the children" test -s "$scratch/children"
  [ "$(processes sleep | wc -l)" -ge 2 ] || fail "the children are not there"
  kill -$signal "$pid"
  finished "$pid"
  expect_nothing_left "SIG$signal with processes that a call started"
  rm "$scratch/children"
done

# Nor is anything left in a store, be it the run's own or the user's.
for signal in INT KILL; do
  for store in "" "$scratch/store"; do
    launch "$programs/hoarder" --slots 1 --store-threshold 8MiB ${store:+--store "$store"} "$scratch/hoarded"
    until_true "the objects" test -s "$scratch/hoarded"
    [ "$(find "${store:-$temporary}" -type f | wc -l)" = 2 ] || fail "the argument and the object are not in the store"
    kill -$signal "$pid"
    finished "$pid"
    expect_nothing_left "SIG$signal with objects in a store"
    if [ -n "$store" ]; then until_true "objects in the user's store to go" no_files "$store"; fi
    rm "$scratch/hoarded"
  done
done

done_testing
