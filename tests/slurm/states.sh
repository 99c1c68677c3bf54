#!/usr/bin/env bash
# What Slurm can do to a job besides running it, each provoked for real: what the driver says, and what it does.
source "$(dirname "$0")/library.bash"
start_cluster nodes=3 cpus=2 <<'END'
PartitionName=closed Nodes=n1 AllowAccounts=others
PartitionName=urgent Nodes=ALL PriorityTier=10
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
END
few=(--calls 30 --least 10 --most 20)

# Held, and released after more than the launch timeout, which is not for queues.
launch_census --nodes 3 --slots 1 --slurm-arguments --hold --progress lines --launch-timeout 4s "${few[@]}"
until_said 'waiting for 3 agents: slurm job [0-9]+ is pending \(JobHeldUser\)'
began=$SECONDS
longer() { [ $((SECONDS - began)) -gt 5 ] || ended "$pid"; }
until_true "the launch timeout to pass" longer
slurm scontrol release "$(job)"
expect_census "a held job"
expect_nothing_left "a held job"

# Behind somebody else's job; Slurm knows until when.
slurm sbatch --quiet --nodes 3 --exclusive --time 5 --output /dev/null --wrap 'sleep 300'
until_true "the other's job" in_state RUNNING
launch_census --nodes 3 --slots 1 --progress lines "${few[@]}"
until_said 'is pending \((Resources|Priority)\), expected to start [0-9][0-9]:[0-9][0-9]'
slurm scancel --name wrap
expect_census "a job that waits its turn"
expect_nothing_left "a job that waits its turn"

# What sbatch refuses is refused for good.
before=$(submitted_jobs)
run "$census" --launcher slurm --partition nowhere
expect_status 1 "a wrong partition"
expect_err 'Invalid partition name specified' "a wrong partition"
expect_no_err 'again' "a wrong partition"
run "$census" --launcher slurm --time soon
expect_status 1 "a wrong time limit"
expect_err 'Invalid --time specification' "a wrong time limit"
expect_no_err 'again' "a wrong time limit"
[ "$(submitted_jobs)" = "$before" ] || fail "refused jobs were submitted"
expect_nothing_left "refused jobs"

# What it takes and will never start waits until somebody ends it, and says why.
launch_census --nodes 9 --slots 1 --progress lines
until_said 'waiting for 9 agents: slurm job [0-9]+ is pending \(PartitionConfig\)'
kill -INT "$pid"
finished "$pid"
expect_status 130 "more nodes than there are"
expect_nothing_left "more nodes than there are"
launch_census --partition closed --account mine --slots 1 --progress lines
until_said 'is pending \(AccountNotAllowed\)'
kill -INT "$pid"
finished "$pid"
expect_status 130 "somebody else's partition"
expect_nothing_left "somebody else's partition"

# Cancelled while it runs: another job goes on where it was.
launch_census --nodes 3 --slots 2 --calls 300 --least 20 --most 40
until_executed 30
first=$(job)
slurm scancel "$first"
expect_census "a cancelled job"
expect_err "slurm job $first ended: CANCELLED" "a cancelled job"
expect_err 'again \(2 ' "a cancelled job"
[ "$(grep -c '^job ' "$scratch/out")" = 2 ] || fail "a cancelled job: the rest did not run in another job"
expect_nothing_left "a cancelled job"
launch_census --nodes 2 --slots 1 --calls 1000 --relaunch never --preamble 'echo what the log has'
until_executed 10
slurm scancel "$(job)"
finished "$pid"
expect_status 1 "a cancelled job that is not launched again"
expect_err 'no agent can run this program: slurm job [0-9]+ ended: CANCELLED' "a cancelled job that is not launched again"
expect_err '^what the log has' "a cancelled job that is not launched again"
expect_no_err 'cpu binding' "a cancelled job that is not launched again"
expect_no_err 'again' "a cancelled job that is not launched again"
expect_nothing_left "a cancelled job that is not launched again"

# Over its time limit, which is brought forward: Slurm counts in minutes.
launch_census --nodes 3 --slots 2 --time 5 --calls 100000 --least 20 --most 40
until_executed 30
first=$(job)
slurm scontrol update jobid="$first" EndTime=now
until_said "slurm job $first ended: TIMEOUT"
until_true "another job to run" in_state RUNNING
before=$(executions)
until_executed $((before + 30))
kill -INT "$pid"
finished "$pid"
expect_err 'again \(2 ' "a job over its time limit"
expect_status 130 "a job over its time limit"
expect_nothing_left "a job over its time limit"

# Preempted by a job that matters more, and on when that is over.
launch_census --nodes 3 --slots 2 --calls 300 --least 20 --most 40
until_executed 30
first=$(job)
slurm sbatch --quiet --partition urgent --nodes 3 --exclusive --time 5 --output /dev/null --wrap 'sleep 3'
expect_census "a preempted job"
expect_err "slurm job $first ended: PREEMPTED" "a preempted job"
expect_nothing_left "a preempted job"

# A preamble that fails.
run "$census" --launcher slurm --slots 1 --relaunch 1 --preamble 'echo "no such module" >&2; false'
expect_status 1 "a preamble that fails"
expect_err 'no agent can run this program: slurm job [0-9]+ ended: FAILED' "a preamble that fails"
[ "$(grep -cx 'no such module' "$scratch/err")" = 2 ] || fail "a preamble that fails: its messages are not in warning and error"
expect_nothing_left "a preamble that fails"

# Logs that cannot be written are told before anything is submitted: Slurm would only say it in that log.
before=$(submitted_jobs)
mkdir "$scratch/read_only"
mount -t tmpfs -o ro tmpfs "$scratch/read_only"
for folder in "$scratch/read_only" "$SLURM_CONF/folder"; do
  run "$census" --launcher slurm --slots 1 --log-folder "$folder"
  expect_status 2 "a log folder that cannot be written"
  expect_err 'log-folder' "a log folder that cannot be written"
done
umount "$scratch/read_only"
[ "$(submitted_jobs)" = "$before" ] || fail "a job was submitted whose log cannot be written"
expect_nothing_left "a log folder that cannot be written"

# An older Slurm, whose squeue writes no JSON.
mkdir "$scratch/bin"
cat >"$scratch/bin/squeue" <<END
#!/bin/sh
case "\$*" in *--json*) echo "squeue: unrecognized option '--json'" >&2; exit 1 ;; esac
exec $(command -v squeue) "\$@"
END
chmod +x "$scratch/bin/squeue"
PATH=$scratch/bin:$PATH launch_census --nodes 2 --slots 1 --slurm-arguments --hold --progress lines "${few[@]}"
until_said 'is pending \(JobHeldUser\)'
slurm scontrol release "$(job)"
expect_census "squeue without --json"
expect_no_err 'does not answer' "squeue without --json"
expect_nothing_left "squeue without --json"

# A controller that is away for a while: before the job is submitted, and when it waits.
cluster stop-controller
launch_census --nodes 2 --slots 1 --slurm-arguments --hold --progress lines "${few[@]}"
until_said 'could not be submitted: .*contact slurm'
cluster start-controller
until_said 'is pending \(JobHeldUser\)'
waiting=$(job)
cluster stop-controller
until_said 'slurm does not answer'
cluster start-controller
slurm scontrol release "$waiting"
expect_census "a controller that is away"
expect_nothing_left "a controller that is away"

done_testing
