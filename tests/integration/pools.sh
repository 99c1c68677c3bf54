#!/usr/bin/env bash
# Pools of local nodes: two programs share one, it outlives its drivers, and leaves nothing when it goes or dies.
source "$(dirname "$0")/library.bash"
corolith=$build/tools/corolith
steady=$programs/steady
export COROLITH_POOLS=$runtime/pools
pool() { run "$corolith" pool "$@"; }
# of NAME EXPRESSION: a Python expression over what `show` says
of() { "$corolith" pool show "$1" --json 2>/dev/null | python3 -c "import json,sys; p=json.load(sys.stdin); print($2)" 2>/dev/null; }
is() { [ "$(of "$1" "$2")" = "$3" ]; }
count() { processes "$1" | wc -l; }
gone() { [ -z "$(processes "$1")" ]; }
head_of() { of "$1" "p['head']['pid']"; }
pool_gone() { ! [ -e "$COROLITH_POOLS/$1" ]; }
expect_pool_gone() {
  until_true "the pool of '$2' to leave no file" pool_gone "$1"
  rmdir "$COROLITH_POOLS" || fail "$2: it left $(ls -A "$COROLITH_POOLS")"
  expect_nothing_left "$2"
}

# No such pool, no such word.
run "$steady" --pool nope 1 1
expect_status 1 "a pool that is not there"
expect_err 'there is no pool nope .*corolith pool up nope' "a pool that is not there"
run "$steady" --launcher pool 1 1
expect_status 2 "a pool without a name"
expect_err 'pool NAME' "a pool without a name"
pool show nope
expect_status 1 "show of a pool that is not there"
expect_err 'corolith pool up nope' "show of a pool that is not there"
for words in "up" "up a/b" "up gp --cpus none" "up gp --launcher magic" "up gp --min 3 --max 2" "up gp --nodes 2 --max 1" "up gp --magic 1" \
  "scale gp" "scale gp many" "jump gp" "show gp --cpus 1"; do
  # shellcheck disable=SC2086
  pool $words
  expect_status 2 "corolith pool $words"
  [ -s "$scratch/err" ] || fail "corolith pool $words: no complaint"
done
pool
expect_status 2 "corolith pool"
pool --help
expect_status 0 "corolith pool --help"
pool up --help
expect_out '--partition NAME' "corolith pool up --help"
pool ls --json
expect_out '^\[\]$' "no pools"

# Up.
pool up gp --nodes 2 --cpus 2 --wait
expect_status 0 "pool up"
expect_out '^pool gp is up' "pool up"
head=$(head_of gp)
[ "$(stat -c %a "$COROLITH_POOLS/gp")" = 700 ] || fail "the folder of the pool is open to others"
[ "$(stat -c %a "$COROLITH_POOLS/gp/secret")" = 600 ] || fail "the secret of the pool can be read by others"
[ "$(ps -o sid= -p "$head" | tr -d ' ')" = "$head" ] || fail "the head has no session of its own"
is gp "len(p['nodes'])" 2 || fail "pool up --wait did not wait for its nodes"
pool up gp
expect_status 1 "a second head"
expect_err "is up already.*process $head" "a second head"
pool ls
expect_out '^gp +up +local ' "pool ls"
pool show gp
expect_out '^2 of 2 nodes, 4 slots of which 0 are leased$' "pool show"

# Two programs at once, half of it each; the second comes when the first has all.
launch "$steady" --pool gp 100000 40
first=$pid
until_true "the first driver to have all" is gp "p['leased']" 4
launch "$examples/sleep" --pool gp --calls 100000 --ms 50
second=$pid
until_true "half for each of two drivers" is gp "sorted((d['program'], d['slots']) for d in p['drivers'])" "[('sleep', 2), ('steady', 2)]"
ps -eo args | grep -qFf "$COROLITH_POOLS/gp/secret" && fail "the secret is on a command line"
kill -INT "$first"
finished "$first"
expect_status 130 "an interrupted driver of a pool"
until_true "all for the other" is gp "[d['slots'] for d in p['drivers']]" "[4]"
kill -INT "$second"
finished "$second"
launch "$steady" --pool gp 200 10
first=$pid
launch "$examples/sleep" --pool gp --calls 200 --ms 10
for each in "$first" "$pid"; do
  finished "$each"
  expect_status 0 "one of two programs in a pool"
done
until_true "the drivers to be forgotten" is gp "p['drivers']" "[]"
until_true "their agents to end" gone --corolith-agent
[ "$(count --corolith-resident)" = 2 ] || fail "the pool lost its nodes with its drivers: $(count --corolith-resident)"

# A driver that is killed takes its agents along, and not the pool.
launch "$examples/sleep" --pool gp --calls 1000 --ms 60000
until_true "a worker" some --corolith-worker
kill -KILL "$pid"
wait "$pid" 2>/dev/null
until_true "the agents of a killed driver to end" gone --corolith-agent
until_true "the workers of a killed driver to end" gone --corolith-worker
until_true "their slots to be free" is gp "p['leased']" 0
run "$steady" --pool gp 100 1
expect_status 0 "a driver after one that was killed"
expect_out '^100 results' "a driver after one that was killed"

# A node that dies is replaced; its calls run elsewhere.
launch "$steady" --pool gp 1000 40
until_true "the driver to have all" is gp "p['leased']" 4
resident=$(processes --corolith-resident | head -1)
kill -KILL "$resident"
finished "$pid"
expect_status 0 "a node of the pool was killed"
expect_out '^1000 results' "a node of the pool was killed"
until_true "two nodes" is gp "len([n for n in p['nodes'] if not n['ending']])" 2

# A call that no node is large enough for.
run "$steady" --pool gp --cpus 3 1 1
expect_status 1 "a call that fits no node"
expect_err 'no agent is large enough' "a call that fits no node"
run "$steady" --pool gp --cpus 2 20 1
expect_status 0 "a call that fits a whole node"

# Down, with a driver in it.
launch "$examples/sleep" --pool gp --calls 1000 --ms 60000
until_true "a worker" some --corolith-worker
run "$corolith" pool down gp
expect_status 0 "pool down"
finished "$pid"
expect_status 1 "a driver whose pool went down"
expect_pool_gone gp "pool down"

# Killed: its guard tidies up. When that is killed, too, the record is recognised as a dead head's.
pool up gp --cpus 1 --wait
head=$(head_of gp)
launch "$steady" --pool gp 10000 20
until_true "a worker" some --corolith-worker
kill -KILL "$head"
finished "$pid"
expect_status 1 "a driver whose head was killed"
expect_err 'corolith pool up gp' "a driver whose head was killed"
until_true "the guard to remove the record" test ! -e "$COROLITH_POOLS/gp/record.json"
until_true "the nodes of a killed head to end" gone --corolith-resident
[ ! -e "$COROLITH_POOLS/gp/secret" ] || fail "the secret of a killed head is still there"
pool up gp --cpus 1 --wait
expect_status 0 "up again after a head was killed"
head=$(head_of gp)
kill -KILL "$(processes corolith-guard)"
kill -KILL "$head"
until_true "the nodes of a killed head to end" gone --corolith-resident
[ -e "$COROLITH_POOLS/gp/record.json" ] || fail "this is to be a record that is left"
run "$steady" --pool gp 1 1
expect_status 1 "a dead head"
expect_err "the pool gp is down: its head \(process $head .*removed.*corolith pool up gp" "a dead head"
[ ! -e "$COROLITH_POOLS/gp/record.json" ] || fail "the record of a dead head stays"
pool up gp --cpus 1 --wait
expect_status 0 "up again after a dead head"

# Draining: who is there stays, nobody else comes, and with the last one it ends.
launch "$steady" --pool gp 600 20
until_true "the driver to have all" is gp "p['leased']" 1
pool drain gp
expect_status 0 "pool drain"
until_true "the pool to drain" is gp "p['state']" draining
cp "$scratch/out" "$scratch/out.first"
XDG_RUNTIME_DIR=$runtime TMPDIR=$temporary "$steady" --pool gp 1 1 >"$scratch/late" 2>&1 && fail "a driver got into a pool that drains"
grep -q 'takes no more drivers' "$scratch/late" || fail "a driver in a pool that drains: $(cat "$scratch/late")"
finished "$pid"
expect_status 0 "the last driver of a pool that drains"
expect_out '^600 results' "the last driver of a pool that drains"
expect_pool_gone gp "pool drain"

# Elastic, from the configuration file that drivers read, too.
cat >"$scratch/config" <<END
{"pool": "small", "pools": {"small": {"launcher": "local", "cpus": 1, "min": 0, "max": 2, "idle": "1s", "startup": "1s"}}}
END
export COROLITH_CONFIG=$scratch/config
pool up small
expect_status 0 "an elastic pool"
is small "len(p['nodes'])" 0 || fail "an elastic pool begins with nodes"
launch "$steady" 600 30
until_true "the pool to grow" is small "len(p['nodes'])" 2
finished "$pid"
expect_status 0 "a driver of an elastic pool"
expect_out '^600 results' "a driver of an elastic pool"
until_true "the pool to shrink" is small "len(p['nodes'])" 0
pool scale small 1
expect_status 0 "pool scale"
until_true "one node" is small "len(p['nodes'])" 1
pool scale small 0
until_true "no node" is small "len(p['nodes'])" 0
unset COROLITH_CONFIG
echo '{"pools": {"small": {"magic": 1}}}' >"$scratch/config"
pool up other --config "$scratch/config"
expect_status 0 "a pool beside one with a wrong setting"
pool up small --config "$scratch/config"
expect_status 2 "a wrong setting in the file"
expect_err 'magic' "a wrong setting in the file"
pool ls
expect_out '^other ' "two pools"
expect_out '^small ' "two pools"
kill -TERM "$(head_of other)"
until_true "SIGTERM to end a pool" pool_gone other
pool down small
expect_pool_gone small "all"
pool down small
expect_status 1 "down twice"

# In the foreground.
launch "$corolith" pool up front --foreground --cpus 1
until_true "a pool in the foreground" is front "len(p['nodes'])" 1
run "$steady" --pool front 10 1
expect_status 0 "a pool in the foreground"
kill -INT "$pid"
finished "$pid"
expect_status 0 "Ctrl-C at a pool in the foreground"
expect_pool_gone front "a pool in the foreground"

done_testing
