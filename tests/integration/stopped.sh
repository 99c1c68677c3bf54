#!/usr/bin/env bash
# Processes that are stopped for a while, and a machine that is busy: what is too slow for --silence is lost and comes back,
# what is not is left alone. No call may fail: they have no retries, and a lost agent must not cost one.
source "$(dirname "$0")/library.bash"
steady=$programs/steady

children() { sed 's/.*) . //; s/ .*//' "/proc/$2/stat" 2>/dev/null | grep -qx "$1"; }
worker_of() { for id in $(processes --corolith-worker); do children "$1" "$id" && return; done; false; }
err_has() { grep -qE -- "$1" "$scratch/err"; }
begin() { # begin CALLS MILLISECONDS FLAGS…: two agents, in $first and $second, with a worker each
  local calls=$1 each=$2
  shift 2
  rm -f "$scratch/go"
  launch "$steady" --agents 2 --slots 1 --heartbeat 300ms "$@" "$calls" "$each" "$scratch/go"
  agents() { [ "$(processes --corolith-agent | wc -l)" = 2 ]; }
  until_true "two agents" agents
  { read -r first; read -r second; } < <(processes --corolith-agent)
  until_true "a worker of the first agent" worker_of "$first"
  until_true "a worker of the second agent" worker_of "$second"
  touch "$scratch/go"
}
end() {
  finished "$pid"
  expect_status 0 "$1"
  expect_out "^$2 results" "$1"
  expect_nothing_left "$1"
}

what="an agent that is stopped for longer than --silence"
begin 1000 10 --silence 1500ms
kill -STOP "$second"
until_true "$what to be lost" err_has 'was lost: nothing was heard'
old=$(processes --corolith-worker | while read -r id; do children "$second" "$id" && echo "$id"; done)
kill -CONT "$second"
until_true "$what to kill its worker" ended "$old"
until_true "$what to come back" worker_of "$second"
end "$what" 1000

what="an agent that is stopped for less than --silence"
begin 300 10 --silence 30s
kill -STOP "$second"
sleep 2
kill -CONT "$second"
end "$what" 300
expect_no_err 'lost' "$what"

what="a driver that is stopped for longer than --silence"
begin 300 10 --silence 1500ms
kill -STOP "$pid"
sleep 4
kill -CONT "$pid"
end "$what" 300

what="a machine with much to do"
hogs=()
for _ in 1 2 3 4 5 6; do
  sh -c 'while :; do :; done' &
  hogs+=($!)
done
begin 400 10 --silence 5s
end "$what" 400
kill "${hogs[@]}"
expect_no_err 'lost' "$what"

done_testing
