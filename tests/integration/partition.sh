#!/usr/bin/env bash
# A network that loses everything for 15 s and heals: three drivers on one side, an agent for each on the other.
#   patient  --silence longer than that: nobody notices
#   hasty    --silence shorter: the agent is lost, its calls run elsewhere, and it comes back as a new one
#   widow    the agent dies while the network is cut, so that its end of the connection never closes
# Two network namespaces need root.
source "$(dirname "$0")/library.bash"
steady=$programs/steady
agent=$build/tools/corolith-agent
name=cr$$
far="ip netns exec $name"
ip netns add "$name" 2>/dev/null || exit 77
clean_up() {
  finish
  ip netns del "$name" 2>/dev/null
  ip link del "$name" 2>/dev/null
}
trap clean_up EXIT
# The far side's cable ends in a bridge: pulled out there, neither end is told. The bridge's address is its own, so that a cable
# that hangs loose is not taken for it.
net=10.$((200 + $$ % 50)).$(($$ / 50 % 250))
{ ip link add "$name" address 02:00:00:00:00:01 type bridge && ip link add "${name}a" type veth peer name eth0 netns "$name" &&
  ip addr add "$net.1/24" dev "$name" && ip link set "$name" up && ip link set "${name}a" master "$name" up &&
  $far ip addr add "$net.2/24" dev eth0 && $far ip link set eth0 up && $far ip link set lo up; } 2>/dev/null || exit 77
until_true "the network" $far bash -c ": 2>/dev/null </dev/tcp/$net.1/9 || ping -c1 -W1 $net.1 >/dev/null 2>&1 || ip neigh show dev eth0 | grep -q lladdr"

declare -A drivers agents
begin() { # begin NAME CALLS FLAGS…
  local who=$1 calls=$2 address secret local_agent
  shift 2
  launch "$steady" --slots 1 --heartbeat 500ms --listen "tcp:$net.1:0" "$@" "$calls" 20 "$scratch/go"
  drivers[$who]=$pid
  mv "$scratch/out" "$scratch/$who.out"
  mv "$scratch/err" "$scratch/$who.err"
  its_agent() {
    local_agent=$(for id in $(processes --corolith-agent); do grep -qx "PPid:[[:space:]]*$pid" "/proc/$id/status" && echo "$id"; done)
    [ -n "$local_agent" ]
  }
  until_true "the agent of $who" its_agent
  address=$(tr '\0' '\n' <"/proc/$local_agent/cmdline" | sed -n 's/^connect=//p')
  secret=$(tr '\0' '\n' <"/proc/$local_agent/cmdline" | sed -n 's/^secret_file=//p')
  XDG_RUNTIME_DIR=$runtime $far "$agent" --connect "$address" --secret-file "$secret" --node-name far --slots 1 --log-level info \
    --cache-folder "$scratch/cache" 2>"$scratch/$who.agent_err" &
  agents[$who]=$!
  until_true "the far agent of $who" worker_of "${agents[$who]}"
}
worker_of() { for id in $(processes --corolith-worker); do grep -qsx "PPid:[[:space:]]*$1" "/proc/$id/status" && return; done; false; }
said() { grep -qE -- "$2" "$scratch/$1"; }

begin patient 2200 --silence 60s
begin hasty 2200 --silence 3s
begin widow 300 --silence 3s
touch "$scratch/go"
sleep 1
ip link set "${name}a" nomaster
cut=$SECONDS
kill -KILL "${agents[widow]}"
for who in hasty widow; do until_true "$who to lose its agent" said "$who.err" 'agent on far .* was lost: nothing was heard'; done
until_true "the far agent to notice" said hasty.agent_err 'looks for the driver again'
worker_of "${agents[hasty]}" && fail "an agent that lost its driver still has a worker"
until_true "15 s" eval "[ \$((SECONDS - cut)) -ge 15 ]"
ip link set "${name}a" master "$name"
until_true "the far agent to be back" worker_of "${agents[hasty]}"

for who in patient hasty widow; do
  finished "${drivers[$who]}"
  cp "$scratch/$who.out" "$scratch/out"
  cp "$scratch/$who.err" "$scratch/err"
  expect_status 0 "$who"
  expect_out "^(2200|300) results .*far" "$who"
  [ $who = patient ] && expect_no_err 'lost' "$who"
done
for who in patient hasty; do
  finished "${agents[$who]}"
  expect_status 0 "the far agent of $who"
done
expect_nothing_left "three drivers"
done_testing
