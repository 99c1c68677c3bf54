#!/usr/bin/env bash
# The benchmark of dispatch at a small size, on local agents and over TLS beside them.
source "$(dirname "$0")/library.bash"
dispatch=$build/bench/dispatch
small=(--calls 2000 --latencies 20 --rounds 1 --payload 1MiB)

# metric NAME [REGEX]: a line of it that ends so
metric() { grep -qE "^\{\"bench\":\"dispatch\",\"metric\":\"$1\",\"value\":[0-9.e+-]+,\"unit\":\"[^\"]+\"${2-}\}$" "$scratch/out" || fail "$said: no line of $1 with '${2-}'"; }

said="local agents"
run "$dispatch" "${small[@]}" --compare pool
expect_status 0 "$said"
metric noop_calls_per_s ',"ratio":[0-9.e+-]+,"ratio_to":"pool_calls_per_s"'
metric call_latency_us ',"ratio":[0-9.e+-]+,"ratio_to":"tcp_round_trip_us"'
for name in cold_start_ms pool_calls_per_s busy_fraction_100us busy_fraction_1ms mixed_makespan bytes_per_queued_call tcp_bulk; do metric $name; done
metric payload ',"ratio":[0-9.e+-]+,"ratio_to":"tcp_bulk"'
expect_nothing_left "$said"

said="TLS"
run "$dispatch" "${small[@]}" --compare none --no-load --listen tcp:127.0.0.1:0
expect_status 0 "$said"
metric noop_calls_per_s ',"ratio":[0-9.e+-]+,"ratio_to":"local_noop_calls_per_s"'
expect_nothing_left "$said"

run "$dispatch" --compare lithops
expect_status 2 "an unknown peer"
expect_err "flag --compare: 'lithops' is none of all, none, pool, dask" "an unknown peer"

done_testing
