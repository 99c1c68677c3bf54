#!/usr/bin/env bash
# Maps on the three nodes of a Slurm cluster, from a login node and inside an allocation, with and without shared folders.
source "$(dirname "$0")/library.bash"
start_cluster nodes=3 cpus=4,4,2 </dev/null

# One job, one agent a node.
run "$census" --launcher slurm --nodes 3 --slots 2 --calls 150 --least 20 --most 40
expect_status 0 "a map on three nodes"
expect_out '^150 results, each exactly once' "a map on three nodes"
for node in n1 n2 n3; do expect_out "^node $node: [0-9]+ calls, 2 workers, 2 cpus\$" "a map on three nodes"; done
[ "$(grep -c '^job [0-9]' "$scratch/out")" = 1 ] || fail "a map on three nodes ran in several jobs"
[ "$(submitted_jobs)" = 1 ] || fail "a map on three nodes submitted $(submitted_jobs) jobs"
expect_no_err . "a map on three nodes"
expect_nothing_left "a map on three nodes"

# Whole nodes, of different sizes.
run "$census" --launcher slurm --nodes 3 --calls 200 --least 20 --most 40
expect_status 0 "nodes of different sizes"
expect_out '^node n1: [0-9]+ calls, 4 workers, 4 cpus$' "nodes of different sizes"
expect_out '^node n3: [0-9]+ calls, 2 workers, 2 cpus$' "nodes of different sizes"
expect_nothing_left "nodes of different sizes"

# Slots that are threads of one process.
run "$census" --launcher slurm --nodes 3 --calls 200 --least 20 --most 40 --isolation thread
expect_status 0 "threads on three nodes"
for node in n1 n2 n3; do expect_out "^node $node: [0-9]+ calls, 1 workers," "threads on three nodes"; done
expect_nothing_left "threads on three nodes"

# The examples.
run "$examples/pi_estimation" --launcher slurm --nodes 3 --calls 300 --samples 20000
expect_status 0 "pi_estimation"
expect_out '^pi is about 3\.14' "pi_estimation"
for node in n1 n2 n3; do expect_out "^$node pid" "pi_estimation"; done
expect_nothing_left "pi_estimation"
mkdir "$scratch/texts"
for text in 1 2 3 4 5; do seq $((text * 1000)) >"$scratch/texts/$text"; done
run "$examples/word_count" --launcher slurm --nodes 3 "$scratch/texts"
expect_status 0 "word_count"
expect_out '^15000 words in 5 objects$' "word_count"
expect_nothing_left "word_count"

# Objects: in the working directory, which is as it was afterwards, and in a folder by its name.
mkdir "$scratch/work" "$scratch/objects"
cd "$scratch/work" || exit 1
for store in "" "$scratch/objects"; do
  run "$examples/map_over_objects" --launcher slurm --nodes 3 --slots 1 ${store:+--store "$store" --store-threshold 1MiB} 6 2
  expect_status 0 "objects${store:+ in a folder}"
  expect_out '^6 objects, 0 of them wrong$' "objects${store:+ in a folder}"
  expect_nothing_left "objects${store:+ in a folder}"
  [ -z "$(ls -A .)" ] || fail "objects${store:+ in a folder}: left $(ls -A .) in the working directory"
  [ -z "$(find "$scratch/objects" -type f)" ] || fail "objects${store:+ in a folder}: left $(find "$scratch/objects" -type f)"
done
cd - >/dev/null || exit 1

# The FLOPS benchmark: one report over all nodes.
if [ -x "$build/bench/flops" ]; then  # not under a sanitizer
  run "$build/bench/flops" --launcher slurm --nodes 3 --slots 1 --tasks 30 --loopcount 20 --matn 200 --rounds 1 --outdir "$scratch/flops" --name three
  expect_status 0 "flops"
  python3 -B "$(dirname "$0")/../support/check_flops.py" "$scratch/out" "$scratch/flops/three.json" n1 n2 n3 >&2 || fail "the report of flops is wrong"
  expect_nothing_left "flops"
fi

# Preamble, and logs that are kept.
mkdir "$scratch/logs"
run "$census" --launcher slurm --nodes 2 --slots 1 --log-folder "$scratch/logs" --variable GREETING \
  --preamble "echo \"the preamble ran on \$SLURMD_NODENAME\"; export GREETING='hello, preamble'"
expect_status 0 "a preamble"
expect_out '^value hello, preamble$' "a preamble"
grep -qx 'the preamble ran on n1' "$scratch"/logs/job-*.log || fail "no log was kept, or without the preamble's output"
expect_nothing_left "a preamble"

# Nodes that see neither the program nor the home folder: the program travels, the secret is in the job script.
mkdir "$scratch/hidden"
cp "$census" "$scratch/hidden/program"
for node in n1 n2 n3; do
  cluster hide $node "$scratch/hidden"
  cluster hide $node "$HOME"
done
run "$scratch/hidden/program" --launcher slurm --nodes 3 --slots 2 --calls 150 --least 20 --most 40 --secret-by script \
  --agent-program "$build/tools/corolith-agent" --cache-folder "$scratch/cache" --log-folder "$scratch/logs"
expect_status 0 "nothing is shared"
expect_out '^150 results, each exactly once' "nothing is shared"
for node in n1 n2 n3; do expect_out "^node $node: " "nothing is shared"; done
[ -n "$(ls -A "$scratch/cache")" ] || fail "the program did not travel to the cache"
expect_nothing_left "nothing is shared"
for node in n1 n2 n3; do cluster on $node umount "$HOME"; done

# Only the program's folder is not shared, which is told as what it is when the agent is not named.
run "$scratch/hidden/program" --launcher slurm --nodes 1 --slots 1 --relaunch never
expect_status 1 "a program that nodes do not see"
expect_err 'No such file|not found' "a program that nodes do not see"
expect_err 'agent-program' "a program that nodes do not see"
expect_nothing_left "a program that nodes do not see"

# A driver inside an allocation uses its nodes and submits nothing. In a batch script it is on the first node, with salloc on the login node.
before=$(submitted_jobs)
printf '#!/bin/sh\nexec %q --launcher slurm --calls 100 --least 20 --most 40\n' "$census" >"$scratch/job"
run sbatch --wait --nodes 3 --exclusive --output "$scratch/job.out" --error "$scratch/job.err" "$scratch/job"
expect_status 0 "a driver in a batch job"
cp "$scratch/job.out" "$scratch/out"
cp "$scratch/job.err" "$scratch/err"
expect_out '^100 results, each exactly once' "a driver in a batch job"
for node in n1 n2 n3; do expect_out "^node $node: " "a driver in a batch job"; done
expect_nothing_left "a driver in a batch job"
run salloc --quiet --nodes 2 --cpus-per-task 2 "$census" --launcher slurm --calls 100 --least 20 --most 40
expect_status 0 "a driver under salloc"
expect_out '^100 results, each exactly once' "a driver under salloc"
expect_out '^node n1: ' "a driver under salloc"
expect_out '^node n2: ' "a driver under salloc"
expect_nothing_left "a driver under salloc"
run salloc --quiet --nodes 2 "$census" --launcher slurm --nodes 3
expect_status 1 "more nodes than the allocation has"
expect_err 'the allocation .* has 2' "more nodes than the allocation has"
[ "$(submitted_jobs)" = $((before + 3)) ] || fail "drivers inside allocations submitted jobs: $(submitted_jobs) instead of $((before + 3))"
expect_nothing_left "allocations"

done_testing
