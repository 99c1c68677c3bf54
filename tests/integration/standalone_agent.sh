#!/usr/bin/env bash
# corolith-agent joins a driver over TLS and gets the program over the wire, as its file is not where the driver says. Another
# one gets the secret on standard input, and the driver's address among others.
source "$(dirname "$0")/library.bash"
agent=$build/tools/corolith-agent

cp "$examples/pi_estimation" "$scratch/program"
launch "$scratch/program" --slots 1 --listen tcp:127.0.0.1:0 --calls 300 --samples 300000
driver=$pid
until_true "a worker" some --corolith-worker
local_agent=$(processes --corolith-agent | head -1)
word() { tr '\0' '\n' <"/proc/$local_agent/cmdline" | sed -n "s/^$1=//p"; }
address=$(word connect)
secret=$(word secret_file)
rm "$scratch/program"
XDG_RUNTIME_DIR=$runtime "$agent" --connect "$address" --secret-file "$secret" --node-name extra --slots 1 \
  --cache-folder "$scratch/cache" 2>"$scratch/agent_err" &
extra=$!
XDG_RUNTIME_DIR=$runtime "$agent" --connect "tcp:127.0.0.1:1,unix:/no/such/socket,$address" --secret-file - --node-name piped --slots 1 \
  --cache-folder "$scratch/cache" <"$secret" 2>"$scratch/piped_err" &
piped=$!
worker_of() { for id in $(processes --corolith-worker); do grep -qx "PPid:[[:space:]]*$1" "/proc/$id/status" && return; done; false; }
until_true "a worker of the agent with the secret on its standard input" worker_of "$piped"
digits=$(cat "$secret")
for id in $(processes); do
  grep -qasF "$digits" "/proc/$id/cmdline" "/proc/$id/environ" && fail "the secret is in argv or environment of process $id"
done
[ "$(readlink "/proc/$piped/fd/0")" = /dev/null ] || fail "the agent still holds the file of the secret open"
finished "$driver"
expect_status 0 "a driver with two kinds of agents"
expect_out '^extra pid [0-9]+ ran [1-9]' "a driver with two kinds of agents"
expect_out '^piped pid [0-9]+ ran [1-9]' "a driver with two kinds of agents"
finished "$extra"
expect_status 0 "corolith-agent"
finished "$piped"
expect_status 0 "corolith-agent with the secret on its standard input"
grep -qsF "$digits" "$scratch"/*err && fail "the secret is in a log"
[ -n "$(find "$scratch/cache" -type f -size +100k)" ] || fail "the program is not in the agent's cache"
expect_nothing_left "a driver with two kinds of agents"

# Whether slots are threads is the driver's to say.
launch "$examples/pi_estimation" --slots 1 --isolation thread --listen tcp:127.0.0.1:0 --calls 300 --samples 300000
driver=$pid
until_true "a worker" some --corolith-worker
local_agent=$(processes --corolith-agent | head -1)
XDG_RUNTIME_DIR=$runtime "$agent" --connect "$(word connect)" --secret-file "$(word secret_file)" --node-name extra --slots 3 \
  --cache-folder "$scratch/cache" 2>"$scratch/agent_err" &
extra=$!
finished "$driver"
expect_status 0 "a driver whose agents' slots are threads"
expect_out '^extra pid [0-9]+ ran [1-9]' "a driver whose agents' slots are threads"
[ "$(grep -c '^extra pid' "$scratch/out")" = 1 ] || fail "three slots that are threads are not one process"
finished "$extra"
expect_status 0 "corolith-agent with threads"
expect_nothing_left "a driver whose agents' slots are threads"

# What is wrong is said, by the right exit status.
run "$agent"
expect_status 2 "no flags"
run "$agent" --help
expect_status 0 "--help"
expect_out '--secret-file' "--help"
run "$agent" --connect nonsense
expect_status 2 "a wrong address"
expect_err 'nonsense' "a wrong address"
run "$agent" --connect unix:/no/such/socket --slots x
expect_status 2 "a wrong number"
expect_err 'slots' "a wrong number"
run "$agent" --connect unix:/no/such/socket
expect_status 1 "no driver"
expect_err '/no/such/socket' "no driver"
run "$agent" --connect unix:/no/such/socket,unix:/nor/this
expect_status 1 "no driver at two addresses"
expect_err 'unix:/no/such/socket.*: No such file' "no driver at two addresses"
expect_err 'unix:/nor/this.*: No such file' "no driver at two addresses"
run "$agent" --connect "tcp:127.0.0.1:1" --secret-file -
expect_status 2 "no secret on standard input"
expect_err 'standard input' "no secret on standard input"
run "$agent" --connect "tcp:127.0.0.1:1"
expect_status 2 "TCP without a secret"
expect_err 'secret_file' "TCP without a secret"
run "$agent" --connect "tcp:127.0.0.1:1" --secret-file /no/such/file
expect_status 2 "no secret"
expect_err '/no/such/file' "no secret"

done_testing
