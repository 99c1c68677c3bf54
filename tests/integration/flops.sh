#!/usr/bin/env bash
# The FLOPS benchmark at a small size: its lines, its report, its figures, what it is compared with.
source "$(dirname "$0")/library.bash"
flops=$build/bench/flops
support=$(dirname "$0")/../support
small=(--loopcount 20 --matn 200 --rounds 1)

metric() { grep -qE "^\{\"bench\":\"flops\",\"metric\":\"$1\"" "$scratch/out"; }
expect_report() { python3 -B "$support/check_flops.py" "$scratch/out" "$@" >&2 || fail "the report ${1##*/} is wrong"; }

# Two agents, with all there is.
run "$flops" "${small[@]}" --agents 2 --slots 1 --tasks 21 --scaling --outdir "$scratch/reports/new" --name two
expect_status 0 "two agents"
host=$(hostname)
expect_report "$scratch/reports/new/two.json" "$host:0" "$host:1"
for name in framework_overhead scaling_efficiency_1 scaling_efficiency_2; do metric $name || fail "two agents: there is no line for $name"; done
metric numpy_total_gflops || expect_err 'no comparison with numpy' "two agents"
metric mpi_total_gflops || expect_err 'no comparison with MPI' "two agents"
expect_err '^flops: [0-9.e+]+ GFLOPS double on 2 slots, [0-9]+% of the measured peak$' "two agents"
if command -v gnuplot >/dev/null; then
  for figure in execution rates gflops; do
    grep -q '</svg>' "$scratch/reports/new/two_$figure.svg" || fail "there is no figure two_$figure.svg"
    [ "$(head -c 4 "$scratch/reports/new/two_$figure.png" | tail -c 3)" = PNG ] || fail "there is no figure two_$figure.png"
  done
fi
expect_nothing_left "two agents"

# Without gnuplot and whatever else: the data, and how to get the figures from it.
mkdir "$scratch/bin"
ln -s "$(command -v env)" "$scratch/bin"
run env PATH="$scratch/bin" "$flops" "${small[@]}" --slots 1 --tasks 3 --precision float --compare numpy --python /no/python --name "it's" --outdir "$scratch/reports"
expect_status 0 "a bare machine"
expect_report "$scratch/reports/it's.json"
expect_err 'no comparison with numpy' "a bare machine"
expect_err 'install gnuplot.*gnuplot' "a bare machine"
metric framework_overhead && fail "a bare machine: it was compared with what was not asked for"
if command -v gnuplot >/dev/null; then
  (cd "$scratch/reports" && gnuplot "it's.gp") || fail "gnuplot does not take the script that it was given later"
  [ -s "$scratch/reports/it's_rates.png" ] || fail "the script that gnuplot was given later makes no figures"
fi
expect_nothing_left "a bare machine"

# What is wrong is said.
run "$flops" --tasks none
expect_status 2 "a wrong number"
expect_err "flag --tasks: 'none'" "a wrong number"
run "$flops" --task 3
expect_status 2 "an unknown flag"
expect_err "'--task' is no flag" "an unknown flag"
run "$flops" --compare bare,mumpy
expect_status 2 "an unknown peer"
expect_err "'mumpy' is none of" "an unknown peer"
run "$flops" --name
expect_status 2 "a flag without its value"
run "$flops" "${small[@]}" --slots 1 --tasks 1 --compare none --outdir /proc/nowhere
expect_status 1 "a folder that cannot be"
expect_nothing_left "a folder that cannot be"

done_testing
