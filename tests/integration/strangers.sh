#!/usr/bin/env bash
# Another user of the machine, who tries to get at a driver, its agents and workers while they work. Needs root, to be another.
source "$(dirname "$0")/library.bash"
steady=$programs/steady
agent=$build/tools/corolith-agent
stranger=$(dirname "$0")/stranger.py
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$@"; }
for python in /usr/bin/python3 "$(command -v python3)"; do nobody "$python" -c "" 2>/dev/null && break; done
[ "$(id -u)" = 0 ] && nobody "$python" -c "" 2>/dev/null || exit 77
ulimit -n 4096 2>/dev/null || exit 77
# The way to the run's own folders is open: they themselves must be closed.
chmod 755 "$scratch" "$runtime"

start_as_nobody() { # start_as_nobody FILE ARGUMENTS…: the stranger's words in FILE, its process id in $pid
  local into=$1
  shift
  nobody "$python" - "$@" <"$stranger" >"$into" 2>&1 &
  pid=$!
}
as_nobody() { # as_nobody TEXT ARGUMENTS…
  local what=$1
  shift
  start_as_nobody "$scratch/$what" "$@"
  stranger_ended "$what" "$pid"
}
stranger_ended() { # stranger_ended TEXT PID
  finished "$2"
  [ "$status" = 0 ] || fail "$1: $(head -20 "$scratch/$1")"
  grep -qx done "$scratch/$1" || fail "$1: the stranger did not get to its end"
}

# Over a Unix socket, and over TCP with an agent that has the program from the wire.
cp "$steady" "$scratch/program"
launch "$scratch/program" --slots 1 1500 10 "$scratch/go"
near=$pid
mv "$scratch/out" "$scratch/near_out"
mv "$scratch/err" "$scratch/near_err"
launch "$scratch/program" --slots 1 --listen tcp:127.0.0.1:0 --cache-folder "$scratch/cache" 4000 10 "$scratch/go"
driver=$pid
mv "$scratch/out" "$scratch/driver_out"
mv "$scratch/err" "$scratch/driver_err"
two_workers() { [ "$(processes --corolith-worker | wc -l)" = 2 ]; }
until_true "a worker of each" two_workers
local_agent=$(processes connect=tcp | head -1)
word() { tr '\0' '\n' <"/proc/$local_agent/cmdline" | sed -n "s/^$1=//p"; }
address=$(word connect)
port=${address##*:}
secret=$(word secret_file)
rm "$scratch/program"

# The agent that comes through a stranger's relay works there for a while, and goes.
start_as_nobody "$scratch/replay" replay 127.0.0.1 "$port"
relay=$pid
until_true "the relay" test -s "$scratch/replay"
XDG_RUNTIME_DIR=$runtime "$agent" --connect "tcp:127.0.0.1:$(head -1 "$scratch/replay")" --secret-file "$secret" --node-name relayed --slots 1 \
  --rejoin 0 --cache-folder "$scratch/cache" 2>"$scratch/relayed_err" &
relayed=$!
worker_of() { for id in $(processes --corolith-worker); do grep -qsx "PPid:[[:space:]]*$1" "/proc/$id/status" && return; done; false; }
until_true "a worker behind the relay" worker_of "$relayed"
touch "$scratch/go"

mapfile -t everything < <(find "$runtime" "$scratch/cache" -mindepth 1; echo "$scratch/cache")
[ ${#everything[@]} -ge 6 ] || fail "there is less to be read than there should be: ${everything[*]}"
open_to_others=$(find "$runtime"/* "$scratch/cache" ! -type l -perm /077)
[ -z "$open_to_others" ] || fail "open to others: $open_to_others"
as_nobody files files "${everything[@]}"
mapfile -t pids < <(processes)
[ ${#pids[@]} -ge 7 ] || fail "too few processes: ${pids[*]}"
as_nobody processes processes "${pids[@]}"
# Nobody but the driver with --listen listens, and nobody on a name without a file.
listening=$(for id in "${pids[@]}"; do find "/proc/$id/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null; done | tr -dc '0-9\n' | sort -u |
  grep -xFf - <(awk '$4 == "0A" { print $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null) | wc -l)
[ "$listening" = 1 ] || fail "$listening processes listen on TCP"
grep -q '@.*corolith' /proc/net/unix && fail "a socket has a name without a file"

as_nobody network network 127.0.0.1 "$port"
start_as_nobody "$scratch/idle" idle 127.0.0.1 "$port" 1000
idle=$pid
until_true "1000 idle connections" grep -qsx connected "$scratch/idle"
most=0
look() { local now; now=$(find "/proc/$driver/fd" | wc -l); [ "$now" -le "$most" ] || most=$now; }
look
XDG_RUNTIME_DIR=$runtime "$agent" --connect "$address" --secret-file "$secret" --node-name friend --slots 1 --cache-folder "$scratch/cache" \
  2>"$scratch/friend_err" &
friend=$!
come() { look; worker_of "$friend"; }
until_true "a friend among 1000 strangers" come
[ "$most" -gt 100 ] || fail "the strangers never were at the driver: $most descriptors"
[ "$most" -le 320 ] || fail "the driver holds $most descriptors"

kill -TERM "$relayed"
finished "$relayed"
stranger_ended replay "$relay"
stranger_ended idle "$idle"
finished "$driver"
mv "$scratch/driver_out" "$scratch/out"
mv "$scratch/driver_err" "$scratch/err"
expect_status 0 "a driver among strangers"
expect_out '^4000 results .*relayed' "a driver among strangers"
expect_out '^4000 results .*friend' "a driver among strangers"
expect_err 'refused a connection on tcp' "a driver among strangers"
lines=$(grep -c refused "$scratch/err")
[ "$lines" -le 3 ] || fail "the driver says $lines times that it refused somebody"
grep -qF "$(basename "$scratch")" "$scratch/idle" && fail "a stranger was told of a folder"
finished "$friend"
expect_status 0 "the friend"
finished "$near"
mv "$scratch/near_out" "$scratch/out"
mv "$scratch/near_err" "$scratch/err"
expect_status 0 "a driver on a Unix socket"
expect_out '^1500 results' "a driver on a Unix socket"
expect_no_err 'lost' "a driver on a Unix socket"
expect_nothing_left "drivers among strangers"
done_testing
