#!/usr/bin/env bash
# The benchmark of the S3 client at a small size: its lines, and that it leaves nothing behind. What is not installed is left out.
source "$(dirname "$0")/library.bash"
s3=$build/bench/s3

metric() { grep -qE "^\{\"bench\":\"s3\",\"metric\":\"$1\"" "$scratch/out" || fail "$2: there is no line for $1"; }
ratio() { grep -qE "^\{\"bench\":\"s3\",\"metric\":\"$1\".*\"ratio_to\":\"$2\"" "$scratch/out" || fail "$1 is not compared with $2"; }

if PATH=$PATH:/usr/sbin command -v nginx >/dev/null; then
  run "$s3" --parts raw --rounds 1 --objects 3 --mib 2 --connections 2 --small 50 --small-connections 4 --compare ring
  expect_status 0 "against nginx"
  for name in get_raw put_raw small_raw_per_s poll_get_raw poll_put_raw poll_small_raw_per_s; do metric $name "against nginx"; done
  ratio get_raw bare_ring_get_raw
  ratio poll_get_raw get_raw
  grep -q '"metric":"get_raw".*"limited_by":"[a-z]*"' "$scratch/out" || fail "nothing says what limits get_raw"
else
  run "$s3" --parts raw
  expect_status 0 "without nginx"
  expect_err 'nothing is measured' "without nginx"
fi
expect_nothing_left "against nginx"

run "$s3" --parts memory --stream-gib 1 --budget-mib 64
expect_status 0 "a stream"
for name in stream_mb_s peak_rss_mib poll_stream_mb_s poll_peak_rss_mib; do metric $name "a stream"; done
ratio peak_rss_mib budget_mib
expect_nothing_left "a stream"

# What is wrong is said.
run "$s3" --rounds none
expect_status 2 "a wrong number"
expect_err "flag --rounds: 'none'" "a wrong number"
run "$s3" --parts raw,cooked
expect_status 2 "an unknown part"
run "$s3" --frobnicate
expect_status 2 "an unknown flag"

done_testing
