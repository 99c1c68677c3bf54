#!/usr/bin/env bash
# What flags ask of Slurm is what agents get.
source "$(dirname "$0")/library.bash"
mkdir "$scratch/cluster"
for device in 0 1; do : >"$scratch/gpu$device"; done
echo "Name=gpu File=$scratch/gpu[0-1]" >"$scratch/cluster/gres.conf"
start_cluster nodes=3 cpus=2 <<'END'
GresTypes=gpu
NodeName=DEFAULT Gres=gpu:2
END

# GPUs: each worker sees one of the two that its node has for the job.
run "$census" --launcher slurm --nodes 2 --slots 2 --gpus 2 --call-gpus 1 --variable CUDA_VISIBLE_DEVICES
expect_status 0 "GPUs"
[ "$(grep ^value "$scratch/out")" = "value 0"$'\n'"value 1" ] || fail "GPUs: the workers see $(grep ^value "$scratch/out")"
expect_nothing_left "GPUs"

# Only one node will do.
slurm scontrol update nodename=n2 availablefeatures=fast activefeatures=fast
run "$census" --launcher slurm --slots 1 --constraint fast
expect_status 0 "a constraint"
expect_out '^node n2: 100 calls' "a constraint"
slurm scontrol create reservation reservationname=mine users=root nodes=n3 starttime=now duration=60 >/dev/null
run "$census" --launcher slurm --slots 1 --reservation mine
expect_status 0 "a reservation"
expect_out '^node n3: 100 calls' "a reservation"
unreserved() { slurm scontrol delete reservationname=mine 2>/dev/null; }
until_true "the reservation to end" unreserved  # a job that just ended may still be in it
expect_nothing_left "nodes by feature and reservation"

# Where agents call back.
launch_census --nodes 2 --slots 1 --interface cluster --ports 40000-40003 --least 100 --most 100  # so that agents live to be read
read_agent() {  # what was found may be a process that is just about to become the agent
  { tr '\0' '\n' <"/proc/$(agent_on n1 | head -1)/cmdline" >"$scratch/agent"; } 2>/dev/null && grep -q ^connect= "$scratch/agent"
}
until_true "an agent" read_agent
grep -qxE 'connect=tcp:10\.99\.0\.254:4000[0-3]' "$scratch/agent" || fail "the agent is told $(grep connect= "$scratch/agent")"
expect_census "an interface and a range of ports"
expect_nothing_left "an interface and a range of ports"

done_testing
