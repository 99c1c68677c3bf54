#!/usr/bin/env bash
# A pool on the three nodes of a Slurm cluster: from nothing to three nodes and back with the work, shared by two programs, through the loss
# of a node and the end of jobs, with few commands of Slurm.
source "$(dirname "$0")/library.bash"
start_cluster nodes=3 cpus=2 </dev/null
corolith=$build/tools/corolith
export COROLITH_POOLS=$HOME/.corolith/pools
mkdir -p "$HOME/.corolith"

# Every command of Slurm that the head runs leaves its time.
commands=$scratch/commands
mkdir "$scratch/shims"
for command in sbatch squeue scancel; do
  cat >"$scratch/shims/$command" <<END
#!/bin/sh
echo "\$(date +%s%N) $command" >>"$commands"
exec $(command -v $command) "\$@"
END
  chmod +x "$scratch/shims/$command"
done
pool() { run env PATH="$scratch/shims:$PATH" "$corolith" pool "$@"; }
of() { "$corolith" pool show "$1" --json 2>/dev/null | python3 -c "import json,sys; p=json.load(sys.stdin); print($2)" 2>/dev/null; }
is() { [ "$(of "$1" "$2")" = "$3" ]; }
pool_gone() { ! [ -e "$COROLITH_POOLS/$1" ]; }
expect_pool_gone() {
  until_true "the pool of '$2' to leave no file" pool_gone "$1"
  rmdir "$COROLITH_POOLS" || fail "$2: it left $(ls -A "$COROLITH_POOLS")"
  expect_nothing_left "$2"
}
# launch_visits ARGUMENTS…: a driver of the pool, each call of which leaves a line in $trace
launch_visits() {
  rm -rf "$trace"
  mkdir "$trace"
  launch "$census" --trace "$trace" "$@"
}
no_job() { ! queued; }

# From 0 to 3 to 0.
pool up gp --launcher slurm --cpus 2 --min 0 --max 3 --idle 3s --startup 3s
expect_status 0 "pool up"
[ "$(submitted_jobs)" = 0 ] || fail "a pool without work submits jobs"
launch_visits --pool gp --calls 1500 --least 100 --most 200
until_true "three nodes" is gp "len(p['nodes'])" 3
until_executed_on n1 n2 n3
expect_census "a pool that grows"
for node in n1 n2 n3; do expect_out "^node $node: " "a pool that grows"; done
until_true "the nodes to be given back" is gp "(len(p['nodes']), len(p['jobs']))" "(0, 0)"
until_true "the jobs to be gone" no_job
[ "$(submitted_jobs)" = 3 ] || fail "the pool submitted $(submitted_jobs) jobs to have three nodes: it thrashes"

# Two programs, fairly.
pool scale gp 3
launch "$examples/sleep" --pool gp --calls 400 --ms 200
sleeper=$pid
until_true "the first driver to have all" is gp "p['leased']" 6
launch_visits --pool gp --calls 300 --least 100 --most 200
until_true "half for each" is gp "sorted((d['program'], d['slots']) for d in p['drivers'])" "[('census', 3), ('sleep', 3)]"
expect_census "one of two programs"
finished "$sleeper"
expect_status 0 "the other of two programs"

# A node loses its power.
launch_visits --pool gp --calls 300 --least 100 --most 200
until_executed_on n2
cluster cut-power n2
expect_census "a node without power"
cluster boot n2
pool down gp
expect_status 0 "pool down"
until_true "the jobs to be gone" no_job
expect_pool_gone gp "a pool that was shared"
python3 - "$commands" <<'END' || fail "too many commands of Slurm"
import sys
times = [int(line.split()[0]) / 1e9 for line in open(sys.argv[1])]
down = 3  # at the end each job is cancelled at once
span = times[-1] - times[0]
print(f"{len(times)} commands of Slurm in {span:.0f} s")
sys.exit(len(times) - down > span / 5 + 1)
END

# Jobs whose time is over: their nodes take no more calls before, so that none is lost; other jobs follow.
pool up short --launcher slurm --cpus 2 --min 0 --max 2 --idle 3s --startup 3s --time 1 --notice 20s
launch_visits --pool short --calls 250 --least 500 --most 1500
expect_census "jobs with a short time limit"
[ "$(executions)" = 250 ] || fail "jobs with a short time limit: 250 calls were executed $(executions) times"
[ "$(grep -c '^job [0-9]' "$scratch/out")" -ge 3 ] || fail "jobs with a short time limit: only $(grep -c '^job [0-9]' "$scratch/out")"
pool down short
until_true "the jobs to be gone" no_job
expect_pool_gone short "jobs with a short time limit"

# A partition that is not there: said, and not tried again and again.
pool up wrong --launcher slurm --partition nowhere --min 1 --max 1
expect_status 0 "pool up with a wrong partition"
until_true "the pool to tell" is wrong "'nowhere' in p['trouble'] or 'partition' in p['trouble']" True
pool down wrong
expect_pool_gone wrong "a wrong partition"

# The head inside an allocation, in the foreground.
cat >"$scratch/job" <<END
#!/bin/sh
exec $corolith pool up inside --launcher slurm --pools $COROLITH_POOLS --foreground
END
run sbatch --parsable --nodes 2 --exclusive --output "$scratch/job.out" "$scratch/job"
until_true "the nodes of an allocation" is inside "len(p['nodes'])" 2
run "$census" --pool inside --calls 100 --least 20 --most 40
expect_status 0 "a head inside an allocation"
expect_out '^100 results, each exactly once' "a head inside an allocation"
pool down inside
until_true "the job to be gone" no_job
expect_pool_gone inside "a head inside an allocation"

done_testing
