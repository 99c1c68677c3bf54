#!/usr/bin/env bash
# An agent whose cache folder has no room for the program says so and goes; the run goes on without it. Needs root, to mount a
# very small file system.
source "$(dirname "$0")/library.bash"
agent=$build/tools/corolith-agent
small=$scratch/small
mkdir -m 700 "$small"
unmount() {
  umount "$small" 2>/dev/null
  finish
}
trap unmount EXIT
mount -t tmpfs -o size=1m,mode=700 corolith-test "$small" 2>/dev/null || exit 77

cp "$programs/steady" "$scratch/program"
launch "$scratch/program" --slots 1 --listen tcp:127.0.0.1:0 40 10 "$scratch/go"
driver=$pid
until_true "an agent that found the program where it is" some --corolith-worker
word() { tr '\0' '\n' <"/proc/$(processes --corolith-agent | head -1)/cmdline" | sed -n "s/^$1=//p"; }
address=$(word connect)
secret=$(word secret_file)
rm "$scratch/program"

mv "$scratch/err" "$scratch/driver_err"
mv "$scratch/out" "$scratch/driver_out"
run "$agent" --connect "$address" --secret-file "$secret" --node-name full --slots 1 --cache-folder "$small/cache"
expect_status 1 "an agent without room for the program"
expect_err "cannot write to the program cache $small/cache: No space left on device; .*cache_folder" "an agent without room for the program"
left=$(find "$small/cache" -type f ! -name '*.lock')
[ -z "$left" ] || fail "a file is left in the full cache: $left"

# With room again, the same folder serves.
mount -o remount,size=200m "$small"
XDG_RUNTIME_DIR=$runtime "$agent" --connect "$address" --secret-file "$secret" --node-name roomy --slots 1 --cache-folder "$small/cache" \
  2>"$scratch/agent_err" &
roomy=$!
more() { [ "$(processes --corolith-worker | wc -l)" -ge 2 ]; }
until_true "an agent that found room" more
touch "$scratch/go"
finished "$driver"
mv "$scratch/driver_err" "$scratch/err"
mv "$scratch/driver_out" "$scratch/out"
expect_status 0 "a run with an agent without room"
expect_out '^40 results .*roomy' "a run with an agent without room"
expect_err "agent on full: cannot write to the program cache $small/cache" "a run with an agent without room"
finished "$roomy"
expect_status 0 "the agent that found room"
expect_nothing_left "a run with an agent without room"
done_testing
