#!/usr/bin/env bash
# Maps of 3,000 calls while workers, agents, nodes, cables and jobs go, stand still and come back at random: every call gives its result
# exactly once.
#   chaos.sh BUILD_FOLDER [SEED…]        without seeds those of a run of the tests
#   chaos.sh build/dev $(seq 200)        many, by hand
source "$(dirname "$0")/library.bash"
shift
[ $# -gt 0 ] || set -- $(seq 2 9)  # and 1 under each sanitizer
start_cluster nodes=3 cpus=4 </dev/null

# One of the arguments at random. The seeds decide what is done and when, the machine what that meets.
pick() { [ $# -gt 0 ] && shift $((RANDOM % $#)) && echo "$1"; }
signal_one() {  # SIGNAL NODE WORD
  local id
  id=$(pick $(on_node "$2" "$3")) && kill "-$1" "$id" 2>/dev/null && echo "$id"
}

# What happens to a node; with a time, after which it is put right again.
lose_worker() { signal_one KILL "$1" --corolith-worker; }
lose_agent() { signal_one KILL "$1" --corolith-agent; }
cancel_job() { slurm scancel --name="$(queue --format=%j | head -1)"; }
stop_agent() {
  local id
  id=$(signal_one STOP "$1" --corolith-agent) || return
  sleep "$2"
  kill -CONT "$id"
}
cut_link() {
  cluster cut-link "$1"
  sleep "$2"
  cluster heal-link "$1"
}
cut_power() {
  cluster cut-power "$1"
  sleep "$2"
  cluster boot "$1"
}
set_down() {
  slurm scontrol update nodename="$1" state=down reason=chaos
  sleep "$2"
  slurm scontrol update nodename="$1" state=resume  # it may be back by itself
}

# trouble SEED: a dozen, unless the driver ends before; several at the same time, but one that takes its time at most for each node
trouble() {
  local what node seconds left=12
  local -A busy=() count=()
  RANDOM=$1
  until ended "$pid" || [ $left -eq 0 ]; do
    what=$(pick lose_worker lose_worker lose_worker lose_agent stop_agent cut_link cut_power set_down cancel_job)
    node=$(pick n1 n2 n3)
    seconds=$((RANDOM % 6)).$((RANDOM % 10))
    sleep 0.$((RANDOM % 10))
    case $what in
      lose_* | cancel_job) $what "$node" >/dev/null 2>&1 ;;
      *)
        kill -0 "${busy[$node]:-none}" 2>/dev/null && continue
        $what "$node" "$seconds" >/dev/null 2>&1 &
        busy[$node]=$!
        ;;
    esac
    left=$((left - 1))
    count[$what]=$((${count[$what]:-0} + 1))
    echo "$(date +%T.%N) $what $node $seconds" >>"$scratch/troubles"
  done
  wait "${busy[@]}"
  for what in "${!count[@]}"; do troubles+=" ${count[$what]} $what,"; done
}

for seed in "$@"; do
  echo "seed $seed begins [$SECONDS s]"
  troubles=
  : >"$scratch/troubles"
  launch_census --nodes 3 --slots 4 --calls 3000 --least 10 --most 50 --heartbeat 500ms --silence 3s --relaunch 1000 \
    --launch-timeout 15s
  until_executed 50
  trouble "$seed"
  expect_census "seed $seed"
  echo "seed $seed:$troubles $(grep 'ran more' "$scratch/out"), in $(grep -c '^job ' "$scratch/out") jobs"
  expect_nothing_left "seed $seed"
  until_true "the nodes to be back after seed $seed" cluster ready
  [ $failures -eq 0 ] || break
done
[ $failures -eq 0 ] || cat "$scratch/troubles" >&2

done_testing
