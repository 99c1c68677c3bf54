#!/usr/bin/env bash
# The commands of corolith with a real Slurm: an installation is proved, jobs are listed, their logs shown, and they are cancelled.
source "$(dirname "$0")/library.bash"
corolith=$build/tools/corolith
start_cluster nodes=3 cpus=2 </dev/null

run "$corolith" hello --launcher slurm --nodes 2 --slots 2
expect_status 0 "hello"
expect_out '^hello from 4 slots of 2 agents \(launcher slurm\)$' "hello"
expect_out '^n1 ' "hello"
expect_nothing_left "hello"

run "$corolith" doctor --launcher slurm
expect_status 0 "doctor"
expect_out '^ok +slurm commands' "doctor"
expect_out '^ok +route +packets to node n[123] leave from 10\.99\.0\.254' "doctor"
run "$corolith" doctor --launcher slurm --partition none
expect_status 1 "doctor of a partition that is not there"
expect_out "^problem +partition +there is no partition 'none'" "doctor of a partition that is not there"

# A job of somebody else's program is none of ours.
slurm sbatch --job-name=other --output=/dev/null --nodes=1 --wrap 'sleep 600' >/dev/null
launch_census --nodes 2 --slots 2 --least 200 --most 200 --calls 100000 --relaunch never
until_executed 4
slurm squeue --noheader --name=other --format=%A >"$scratch/other"
run "$corolith" jobs --json
expect_status 0 "jobs"
python3 -c "
import json
jobs = [json.loads(line) for line in open('$scratch/out')]
assert len(jobs) == 1 and jobs[0]['state'] == 'RUNNING' and jobs[0]['nodes'] == 2, jobs
assert jobs[0]['name'].startswith('census-') and jobs[0]['log'].endswith('job-' + jobs[0]['job'] + '.log'), jobs
open('$scratch/job', 'w').write(jobs[0]['job'])" || fail "jobs --json is not as it should be"
run "$corolith" jobs
expect_out "^$(cat "$scratch/job") +census-" "jobs"
run "$corolith" logs "$(cat "$scratch/job")"
expect_status 0 "logs of a job"
run "$corolith" cancel "$(cat "$scratch/other")"
expect_status 1 "cancel of a job of another program"
expect_err "is no job of a run of yours" "cancel of a job of another program"
run "$corolith" cancel --all
expect_status 0 "cancel --all"
expect_out "^cancelled $(cat "$scratch/job")$" "cancel --all"
finished "$pid"
[ "$(queue --format=%j)" = other ] || fail "the queue has '$(queue --format=%j)' instead of the other job"
run "$corolith" jobs
expect_out '^no run of yours' "jobs of none"
slurm scancel "$(cat "$scratch/other")"
expect_nothing_left "jobs"
done_testing
