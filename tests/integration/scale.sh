#!/usr/bin/env bash
# The benchmark of many agents with a few, over Unix sockets and TLS.
source "$(dirname "$0")/library.bash"
scale=$build/bench/scale

for listen in "" tcp:127.0.0.1:0; do
  run "$scale" --counts 1,5 --agent-slots 3 --calls 2000 --load 4000 ${listen:+--listen "$listen"}
  expect_status 0 "agents at '$listen'"
  for count in 1 5; do
    for name in connected_s calls_per_s cpu_us_per_call efficiency p50_delay_ms p99_delay_ms rss_mib; do
      grep -qE "^\{\"bench\":\"scale\",\"metric\":\"${name}_$count\",\"value\":[0-9.e+-]+," "$scratch/out" || fail "agents at '$listen': there is no line for ${name}_$count"
    done
  done
  expect_nothing_left "agents at '$listen'"
done

run "$scale" --counts ten
expect_status 2 "a wrong number"
expect_err "flag --counts" "a wrong number"

done_testing
