#!/usr/bin/env bash
# A driver that is killed in the middle of a journaled map and started again executes what is missing, and nothing else; a journal that is
# cut anywhere is gone on with; a full disk costs no result.
source "$(dirname "$0")/library.bash"
journaled=$programs/journaled
journal=$scratch/journal counted=$scratch/counted
calls=${2:-100000}

sanitized() { grep -qs 'COROLITH_SANITIZE:STRING=.' "$build/CMakeCache.txt"; }
made() { stat -c %s "$counted" 2>/dev/null || echo 0; }
# Results are on their way for a while after their calls have left their marks.
more_than() { [ "$(made)" -gt "$1" ]; }
result() { sed 's/ results.*//' "$scratch/out"; }
records() { stat -c %s "$journal" 2>/dev/null || echo 0; }

run "$journaled" --slots 2 "$scratch/whole" "$calls"
expect_status 0 "a map without a journal"
right=$(result)

# Killed three times, at random times of the map, and started again.
for part in 20 45 70; do
  launch "$journaled" --slots 2 --journal "$journal" "$counted" "$calls"
  until_true "$part % of the calls" more_than $((calls * part / 100))
  kill -KILL "$pid"
  finished "$pid"
  expect_status 137 "a driver that was killed"
  until_true "its workers to end" nothing_left
done
before=$(made)
run "$journaled" --slots 2 --journal "$journal" --log-level info "$counted" "$calls"
expect_status 0 "the run that resumes"
[ "$(result)" = "$right" ] || fail "the resumed map gives '$(result)' instead of '$right'"
kept=$(sed -n 's/.*it has \([0-9]*\) results of map 1.*/\1/p' "$scratch/err")
[ "${kept:-0}" -gt 0 ] || fail "it does not say how many results the journal had"
[ $(($(made) - before)) = $((calls - ${kept:-0})) ] ||
  fail "it made $(($(made) - before)) calls, and $((calls - ${kept:-0})) were missing"
# Of each run only what was under way is made twice: far from all that it had done. How much that is depends on how far the driver is behind its
# workers, which a sanitizer makes more.
again=$(($(made) - calls))
echo "$calls calls; three drivers were killed; $again calls were made twice; the journal had $kept results at last"
[ "$again" -le $((calls / 10)) ] || sanitized || fail "$again of $calls calls were made twice"
before=$(made)
run "$journaled" --slots 2 --journal "$journal" "$counted" "$calls"
expect_status 0 "a run of which nothing is missing"
[ "$(result)" = "$right" ] || fail "a run of which nothing is missing gives '$(result)' instead of '$right'"
[ "$(made)" = "$before" ] || fail "$(($(made) - before)) calls were made though nothing was missing"
expect_nothing_left "journaled maps"

# Another program, other arguments.
cp "$journal" "$scratch/same"
run "$examples/map" --journal "$journal"
expect_status 1 "another program"
expect_err "journal $journal: it holds results of another program.*$(basename "$journaled").*name another file" "another program"
run "$journaled" --slots 2 --journal "$journal" "$counted" "$calls" large 3
expect_status 1 "other arguments"
expect_err "journal $journal: map 1 .*result_of.* another one.*remove the file" "other arguments"
cmp -s "$journal" "$scratch/same" || fail "a journal that was refused has changed"
run "$journaled" --journal "$scratch" "$counted" 1
expect_status 1 "a folder as a journal"
expect_err "journal $scratch: cannot open it" "a folder as a journal"

# Cut at random places (every byte of a small one: tests/run/journal.cpp).
small=2000
rm "$journal"
run "$journaled" --slots 2 --journal "$journal" "$counted" "$small"
right=$(result)
cp "$journal" "$scratch/whole"
for _ in 1 2 3 4 5; do
  at=$((RANDOM * RANDOM % $(stat -c %s "$scratch/whole")))
  head -c "$at" "$scratch/whole" >"$journal"
  run "$journaled" --slots 2 --journal "$journal" "$counted" "$small"
  expect_status 0 "a journal cut at byte $at"
  [ "$(result)" = "$right" ] || fail "a journal cut at byte $at gives '$(result)' instead of '$right'"
done

# A lazy map: what it needs does not grow with what it resumes.
rm -f "$journal"
launch "$journaled" --slots 2 --journal "$journal" "$scratch/lazy" 60000 lazy large 2000
until_true "half of a lazy map" eval '[ "$(stat -c %s "$scratch/lazy" 2>/dev/null || echo 0)" -gt 30000 ]'
kill -KILL "$pid"
finished "$pid"
until_true "its workers to end" nothing_left
run "$journaled" --slots 2 --journal "$journal" "$scratch/lazy" 60000 lazy large 2000
expect_status 0 "a lazy map that resumes"
expect_out ' 60000 results' "a lazy map that resumes"
first=$(result)
run "$journaled" --slots 2 --journal "$journal" "$scratch/lazy" 60000 lazy large 2000
[ "$(result)" = "$first" ] || fail "a lazy map gives '$(result)' from its journal, and gave '$first'"
peak=$(sed 's/.* \([0-9]*\) MiB$/\1/' "$scratch/out")
echo "a lazy map of 115 MiB from its journal: $peak MiB at most"
sanitized || [ "$peak" -lt 110 ] || fail "a lazy map of 115 MiB took $peak MiB"

# A disk that fills up.
disk=$scratch/small
mkdir -m 700 "$disk"
unmount() {
  umount "$disk" 2>/dev/null
  finish
}
trap unmount EXIT
if mount -t tmpfs -o size=1m,mode=700 corolith-test "$disk" 2>/dev/null; then
  run "$journaled" --slots 2 "$scratch/full" 30000 large 50
  right=$(result)
  run "$journaled" --slots 2 --journal "$disk/journal" "$scratch/full" 30000 large 50
  expect_status 0 "a map whose disk fills up"
  [ "$(result)" = "$right" ] || fail "a map whose disk fills up gives '$(result)' instead of '$right'"
  expect_err "journal $disk/journal: cannot write to it: No space left on device.*no result of it is lost" "a map whose disk fills up"
  mount -o remount,size=200m "$disk"
  before=$(stat -c %s "$scratch/full")
  run "$journaled" --slots 2 --journal "$disk/journal" "$scratch/full" 30000 large 50
  expect_status 0 "the same with room again"
  [ "$(result)" = "$right" ] || fail "with room again it gives '$(result)' instead of '$right'"
  more=$(($(stat -c %s "$scratch/full") - before))
  { [ "$more" -gt 0 ] && [ "$more" -lt 30000 ]; } || fail "with room again $more calls were made"
  run "$journaled" --slots 2 --journal "$disk/none/journal" "$scratch/full" 1
  expect_err "cannot open it: No such file or directory" "a folder that is not there"
else
  echo "no file system can be mounted here, so none was filled"
fi
expect_nothing_left "all of these"
done_testing
