#!/usr/bin/env bash
# Maps of 3,000 calls while workers, agents, nodes, cables and jobs go, stand still and come back at random: every call gives its result
# exactly once.
#   chaos.sh BUILD_FOLDER [SEED…]        without seeds those of a run of the tests
#   chaos.sh build/dev $(seq 200)        many, by hand
source "$(dirname "$0")/library.bash"
shift
[ $# -gt 0 ] || set -- 1 2 3 4 5 6 7 8
start_cluster nodes=3 cpus=4 </dev/null

# One of the arguments at random. The seeds decide what is done and when, the machine what that meets.
pick() { [ $# -gt 0 ] && shift $((RANDOM % $#)) && echo "$1"; }
signal_one() {  # SIGNAL WORD
  local id
  id=$(pick $(on_node "$(pick n1 n2 n3)" "$2")) && kill "-$1" "$id" 2>/dev/null
}
pause() { sleep "$1.$((RANDOM % 10))"; }

# What happens. Each puts right again what would stay broken.
lose_worker() { signal_one KILL --corolith-worker; }
lose_agent() { signal_one KILL --corolith-agent; }
stop_agent() {
  local id
  id=$(pick $(agent_on "$(pick n1 n2 n3)")) || return
  kill -STOP "$id" 2>/dev/null
  pause $((1 + RANDOM % 6))
  kill -CONT "$id" 2>/dev/null
}
cut_link() {
  local node
  node=$(pick n1 n2 n3)
  cluster cut-link "$node"
  pause $((1 + RANDOM % 6))
  cluster heal-link "$node"
}
cut_power() {
  local node
  node=$(pick n1 n2 n3)
  cluster cut-power "$node"
  pause $((RANDOM % 3))
  cluster boot "$node"
}
set_down() {
  local node
  node=$(pick n1 n2 n3)
  slurm scontrol update nodename="$node" state=down reason=chaos
  pause $((RANDOM % 3))
  slurm scontrol update nodename="$node" state=resume
}
cancel_job() { slurm scancel --name="$(queue --format=%j | head -1)" 2>/dev/null; }

# trouble SEED: one thing after another until the driver has ended
trouble() {
  local what
  RANDOM=$1
  while ! ended "$pid"; do
    what=$(pick lose_worker lose_worker lose_worker lose_agent stop_agent cut_link cut_power set_down cancel_job)
    echo "$what" >>"$scratch/troubles"
    $what
    pause 0
  done
}

patience=120
for seed in "$@"; do
  echo "seed $seed begins [$SECONDS s]"
  : >"$scratch/troubles"
  launch_census --nodes 3 --slots 4 --calls 3000 --least 10 --most 50 --heartbeat 500ms --silence 3s --relaunch 1000 \
    --log-level error
  until_executed 50
  began=$SECONDS
  trouble "$seed"
  expect_census "seed $seed"
  echo "seed $seed: $((SECONDS - began)) s, $(sort "$scratch/troubles" | uniq -c | sed 's/^ *//' | tr '\n' ',') $(grep 'ran more' "$scratch/out")," \
    "$(grep -c '^job ' "$scratch/out") jobs"
  expect_nothing_left "seed $seed"
  until_true "the nodes to be back after seed $seed" cluster ready
  [ $failures -eq 0 ] || break
done

done_testing
