#!/usr/bin/env bash
# The object storage benchmark at a small size: its lines, its report, its figures, what it is compared with, and its commands alone.
source "$(dirname "$0")/library.bash"
storage=$build/bench/storage
support=$(dirname "$0")/../support
small=(--mb_per_file 1 --rounds 1)

metric() { grep -qE "^\{\"bench\":\"storage\",\"metric\":\"$1\"" "$scratch/out"; }
expect_report() { python3 -B "$support/check_storage.py" "$scratch/out" "$@" >&2 || fail "the report ${1##*/} is wrong"; }
objects() { find "$scratch/store" -type f 2>/dev/null | wc -l; }

# Two agents, with all there is.
run "$storage" "${small[@]}" --agents 2 --slots 1 --number 9 --read_times 2 --store "$scratch/store" --outdir "$scratch/reports/new" --name two
expect_status 0 "two agents"
host=$(hostname)
expect_report "$scratch/reports/new/two.json" "$host:0" "$host:1"
for name in bare_write_mb_s bare_read_mb_s write_cpu_s_per_gb read_call_mb_s startup_s; do
  metric $name || fail "two agents: there is no line for $name"
done
grep -qE '"metric":"write_mb_s".*"ratio":[0-9.e+-]+,"ratio_to":"bare_write_mb_s"' "$scratch/out" || fail "write_mb_s has no ratio"
if command -v gnuplot >/dev/null; then
  for figure in execution rates bandwidth; do
    grep -q '</svg>' "$scratch/reports/new/two_$figure.svg" || fail "there is no figure two_$figure.svg"
    [ "$(head -c 4 "$scratch/reports/new/two_$figure.png" | tail -c 3)" = PNG ] || fail "there is no figure two_$figure.png"
  done
fi
[ "$(objects)" = 0 ] || fail "objects are left in the store"
expect_nothing_left "two agents"

# Each command alone.
run "$storage" write "${small[@]}" --slots 2 --number 5 --key_prefix it/ --store "$scratch/store" --outdir "$scratch/reports" --name written
expect_status 0 "write"
expect_report "$scratch/reports/written.json"
[ "$(objects)" = 5 ] || fail "write made $(objects) objects"
run "$storage" read "${small[@]}" --slots 1 --number 5 --key-prefix it/ --checksum md5 --store "$scratch/store" --outdir "$scratch/reports" --name got
expect_status 0 "read"
expect_report "$scratch/reports/got.json"
metric write_mb_s && fail "read wrote"
printf x | dd of="$scratch/store/it/3" bs=1 seek=5000 conv=notrunc 2>/dev/null
run "$storage" read "${small[@]}" --slots 1 --number 5 --key-prefix it/ --store "$scratch/store"
expect_status 1 "read of what was changed"
expect_err 'it/3 holds' "read of what was changed"
run "$storage" read "${small[@]}" --slots 1 --number 6 --key-prefix it/ --store "$scratch/store" --checksum none
expect_status 1 "read of more than there is"
run "$storage" delete --key_prefix it/ --store "$scratch/store"
expect_status 0 "delete"
[ "$(objects)" = 0 ] || fail "delete left objects"
expect_nothing_left "commands alone"

# What is wrong is said.
run "$storage" write
expect_status 2 "write to nowhere"
expect_err '\-\-store' "write to nowhere"
run "$storage" --number none
expect_status 2 "a wrong number"
expect_err "flag --number: 'none'" "a wrong number"
run "$storage" --numbers 3
expect_status 2 "an unknown flag"
expect_err "'--numbers' is no flag" "an unknown flag"
run "$storage" frobnicate
expect_status 2 "an unknown command"
run "$storage" --checksum sha1
expect_status 2 "an unknown checksum"

done_testing
