# SPDX-License-Identifier: Apache-2.0
# What the Slurm scripts share: source it with the build folder in $1. The script runs in namespaces of its own, as their first process: it
# meets no other script, and whatever ends it ends all it has started. Its drivers are on a login node without slots, 10.99.0.254.
slurm_cluster=$(dirname "${BASH_SOURCE[0]}")/../support/slurm_cluster
skip() {
  echo "skipped: $*"
  exit 77
}
for command in munged slurmctld slurmd sbatch squeue srun scancel ip unshare nsenter; do
  PATH=$PATH:/usr/sbin command -v $command >/dev/null || skip "there is no $command (tools/setup slurm installs it)"
done
[ "$(id -u)" = 0 ] || skip "only root can run a Slurm cluster here"
if [ $$ != 1 ]; then
  "$slurm_cluster" alone true 2>/dev/null || skip "this sandbox permits no namespaces: $("$slurm_cluster" alone true 2>&1)"
  exec "$slurm_cluster" alone bash "$0" "$@"
fi
source "$(dirname "${BASH_SOURCE[0]}")/../integration/library.bash"
programs=$build/tests/slurm/programs
census=$programs/census
trace=$scratch/trace
for variable in $(compgen -e SLURM) $(compgen -e SBATCH) $(compgen -e SQUEUE); do unset "$variable"; done
export HOME=$scratch/home SLURM_CONF=$scratch/cluster/slurm.conf
mkdir -p "$HOME"

finish() {
  kill -KILL -1  # all but this script, which is the first process of its namespace
  sleep 0.1
  rm -rf "$scratch"
}

cluster() { "$slurm_cluster" "$scratch/cluster" "$@"; }
# start_cluster NAME=VALUE…: as slurm_cluster takes them; lines for slurm.conf come from standard input
start_cluster() {
  cat >"$scratch/more.conf"
  cluster start net=netns "conf=$scratch/more.conf" "$@" || exit 1
}
# Slurm's commands wait for ever for a node or a controller that is gone.
slurm() { timeout 20 "$@"; }
queue() { slurm squeue --noheader "$@" 2>/dev/null; }
job() { queue --format=%A; }
queued() { [ -n "$(job)" ]; }
in_state() { queue --format=%T | grep -qx "$1"; }
submitted_jobs() { slurm scontrol --oneliner show job 2>/dev/null | grep -c JobId=; }

# on_node NODE WORD: ids of the processes of a job with WORD in their command line, as processes gives them
on_node() {
  local id
  for id in $(processes "$2"); do
    grep -qszFx "SLURMD_NODENAME=$1" "/proc/$id/environ" && [ "$(cat "/proc/$id/comm" 2>/dev/null)" != srun ] && echo "$id"
  done
}
agent_on() { on_node "$1" --corolith-agent; }
workers_on() { on_node "$1" --corolith-worker; }
some_on() { [ -n "$(on_node "$@")" ]; }

# launch_census ARGUMENTS…: in the background; each call leaves a line in $trace
launch_census() {
  rm -rf "$trace"
  mkdir "$trace"
  launch "$census" --launcher slurm --trace "$trace" "$@"
}
executions() { cat "$trace"/* 2>/dev/null | wc -l; }
executed() { [ "$(executions)" -ge "$1" ] || ended "$pid"; }
until_executed() { until_true "$1 calls to run" executed "$1"; }
executed_on() { compgen -G "$trace/$1.*" >/dev/null || ended "$pid"; }
until_executed_on() {
  local node
  for node in "$@"; do until_true "calls on $node" executed_on "$node"; done
}
# until_said REGEX: on its standard error
until_said() { until_true "it to say '$1'" said "$1"; }
said() { grep -qE -- "$1" "$scratch/err" || ended "$pid"; }
# expect_census TEXT: what was launched ends well
expect_census() {
  finished "$pid"
  expect_status 0 "$1"
  expect_out 'each exactly once' "$1"
}

nothing_left() {
  [ -z "$(processes)" ] && [ -z "$(ls -A "$runtime")" ] && [ -z "$(ls -A "$HOME/.corolith" 2>/dev/null)" ] && ! queued
}
expect_nothing_left() {
  local began=$SECONDS
  until_true "$1 to leave nothing" nothing_left && { echo "$1: passed, nothing left after $((SECONDS - began)) s [$SECONDS s]"; return; }
  for id in $(processes); do echo "  left: $id $(tr '\0' ' ' <"/proc/$id/cmdline")" >&2; done
  ls -A "$runtime" "$HOME/.corolith" >&2
  queue >&2
  tail -n 40 "$scratch/cluster/log/slurmctld.log" >&2
}
