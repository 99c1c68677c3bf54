#!/usr/bin/env bash
# What may be lost while calls run: workers, agents, nodes, the network, the driver. Every call still gives its result exactly once, without
# a retry of its own (calls have none here), and nothing is left behind.
source "$(dirname "$0")/library.bash"
start_cluster nodes=3 cpus=2 </dev/null

# start CALLS ARGUMENTS…: a map that runs on all three nodes
start() {
  launch_census --nodes 3 --slots 2 --least 20 --most 40 --heartbeat 500ms --silence "${silence-4s}" --calls "$@"
  until_executed_on n1 n2 n3
}
expect_again() { expect_out '^[1-9][0-9]* calls ran more than once' "$1"; }
expect_one_job() { [ "$(grep -c '^job ' "$scratch/out")" = 1 ] || fail "$1: it took more than one job"; }
nodes_back() { cluster ready; }
until_nodes_are_back() { until_true "the nodes to be back" nodes_back; }

start 400
kill -KILL $(workers_on n2)
expect_census "all workers of a node killed"
expect_again "all workers of a node killed"
expect_one_job "all workers of a node killed"
expect_nothing_left "all workers of a node killed"

start 400
kill -KILL $(agent_on n3)
expect_census "an agent killed"
expect_again "an agent killed"
expect_one_job "an agent killed"
expect_nothing_left "an agent killed"

start 600
slurm scontrol update nodename=n2 state=down reason=test
expect_census "a node set down"
expect_one_job "a node set down"
expect_nothing_left "a node set down"
slurm scontrol update nodename=n2 state=resume 2>/dev/null  # it may be back by itself
until_nodes_are_back

start 600
cluster cut-power n3
expect_census "a power cut of a node"
expect_again "a power cut of a node"
expect_one_job "a power cut of a node"
cluster boot n3
expect_nothing_left "a power cut of a node"
until_nodes_are_back

# The node of the job script, and with it the job.
start 600
cluster cut-power n1
expect_census "a power cut of the job's first node"
cluster boot n1
expect_nothing_left "a power cut of the job's first node"
until_nodes_are_back

# All that the driver has; it goes on when Slurm gives it nodes again.
start 600
for node in n1 n2 n3; do cluster cut-power $node; done
sleep 1
for node in n1 n2 n3; do cluster boot $node; done
expect_census "a power cut of all nodes"
expect_again "a power cut of all nodes"
expect_nothing_left "a power cut of all nodes"
until_nodes_are_back

# A node and then the other agents: srun waits for ever for the node, and with it a job of which nothing is left.
start 600 --launch-timeout 5s
cluster cut-power n3
kill -KILL $(agent_on n1) $(agent_on n2)
until_said 'slurm job [0-9]+ runs, but none of its agents has been connected for 5 s'
cluster boot n3
expect_census "a deserted job"
expect_nothing_left "a deserted job"
until_nodes_are_back

# The same before an agent of the job was ready. It is not the first job: for that the whole run has its timeout.
start 600 --launch-timeout 5s --preamble "echo >>'$scratch/jobs'; [ \$(wc -l <'$scratch/jobs') != 2 ] || sleep 1000"
slurm scancel "$(job)"
until_said 'slurm job [0-9]+ runs, but none of its agents has been connected for 5 s'
expect_census "a job whose agents never come"
[ "$(wc -l <"$scratch/jobs")" = 3 ] || fail "a job whose agents never come: it took $(wc -l <"$scratch/jobs") jobs instead of 3"
expect_nothing_left "a job whose agents never come"

# The driver ends before it has noticed that a node is gone, and notices while it ends.
launch_census --nodes 3 --slots 2 --least 20 --most 40 --heartbeat 500ms --silence 2s --calls 100000
until_executed_on n1 n2 n3
cluster cut-power n3
kill -INT "$pid"
finished "$pid"
cluster boot n3
expect_nothing_left "SIGINT right after a power cut"
until_nodes_are_back

# A short cut of the network (TCP may take more than as long again to find out that it is over), then one that is longer than the silence
# after which an agent counts as lost.
silence=15s start 600
cluster cut-link n2
sleep 2
cluster heal-link n2
expect_census "a cut of 2 s"
expect_out '^0 calls ran more than once' "a cut of 2 s"
expect_nothing_left "a cut of 2 s"

# again NODE: its agent takes calls again
again() {
  local node=$1 before
  before=$(cat "$trace/$node".* | wc -l)
  more() { [ "$(cat "$trace/$node".* | wc -l)" -gt "$before" ] || ended "$pid"; }
  until_true "calls on $node again" more
  ! ended "$pid" || fail "the map ended before $node was back"
}
start 4000
cluster cut-link n2
sleep 15
cluster heal-link n2
again n2
expect_census "a cut of 15 s"
expect_again "a cut of 15 s"
expect_one_job "a cut of 15 s"
expect_nothing_left "a cut of 15 s"

start 2000
stopped=$(agent_on n2)
kill -STOP "$stopped"
sleep 6
kill -CONT "$stopped"
again n2
expect_census "an agent that stood still"
expect_one_job "an agent that stood still"
expect_nothing_left "an agent that stood still"

# The driver, while its job waits and while it runs.
for signal in KILL INT; do
  launch_census --nodes 3 --slots 1 --slurm-arguments --hold
  until_true "the job" queued
  kill -$signal "$pid"
  finished "$pid"
  expect_nothing_left "SIG$signal while the job waits"
  start 100000
  kill -$signal "$pid"
  finished "$pid"
  expect_nothing_left "SIG$signal while calls run"
done
start 100000
kill -TERM "$pid"
finished "$pid"
expect_status 143 "SIGTERM while calls run"
expect_nothing_left "SIGTERM while calls run"
start 100000 --throw-after 20
finished "$pid"
expect_status 1 "an exception of the driver"
expect_err "the driver's own error" "an exception of the driver"
expect_nothing_left "an exception of the driver"

# A driver that is killed while it submits.
for pause in 0 0.3; do
  launch_census --nodes 3 --slots 1
  until_true "a guard" some corolith-guard
  sleep $pause
  kill -KILL "$pid"
  finished "$pid"
  expect_nothing_left "SIGKILL $pause s after the beginning"
done

done_testing
