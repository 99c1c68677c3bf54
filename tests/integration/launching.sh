#!/usr/bin/env bash
# How drivers, agents and workers find each other.
source "$(dirname "$0")/library.bash"

# A program whose main does not serve says what to do, and starts no agents of its agents.
run "$programs/unserved"
expect_status 1 "a program that does not serve"
expect_err 'serve_role' "a program that does not serve"
expect_err 'exit status' "a program that does not serve"
expect_nothing_left "a program that does not serve"

# Two drivers of one user at once.
launch "$examples/pi_estimation" --slots 1 --calls 100 --samples 20000
first=$pid
launch "$examples/pi_estimation" --slots 1 --calls 100 --samples 20000
for each in "$first" "$pid"; do
  finished "$each"
  expect_status 0 "one of two drivers"
done
expect_nothing_left "two drivers"

# TLS over TCP; the secret is on no command line.
launch "$examples/sleep" --slots 1 --listen tcp:127.0.0.1:0 --rejoin 7s --calls 1000 --ms 60000
until_true "a worker" some --corolith-worker
agent=$(processes --corolith-agent | head -1)
tr '\0' '\n' <"/proc/$agent/cmdline" >"$scratch/out"
expect_out '^connect=tcp:127\.0\.0\.1:[0-9]+$' "the agent's command line"
expect_out '^rejoin=7000$' "the agent's command line"
secret=$(sed -n 's/^secret_file=//p' "$scratch/out")
[ "$(stat -c %a "$secret")" = 600 ] || fail "the secret can be read by others"
kill -INT "$pid"
finished "$pid"
expect_status 130 "a driver over TLS"
expect_nothing_left "a driver over TLS"
run "$examples/map" --listen tcp:127.0.0.1:0 --agents 2 --slots 1
expect_status 0 "map over TLS"
expect_out '^1090$' "map over TLS"

# A name for the runtime folder that is not there, and a run far from any home.
status=0
env -i "$examples/hello" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
expect_status 0 "an empty environment"
status=0
XDG_RUNTIME_DIR=/no/such/folder "$examples/hello" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
expect_status 0 "a runtime folder that is not there"

# A program that is replaced while it runs still runs as it was.
cp "$examples/sleep" "$scratch/program"
launch "$scratch/program" --slots 1 --calls 3 --ms 10
cp "$examples/hello" "$scratch/new" && mv "$scratch/new" "$scratch/program"
finished "$pid"
expect_status 0 "a program that was replaced"
expect_out '^3 sleeps' "a program that was replaced"
expect_nothing_left "all of these"

done_testing
