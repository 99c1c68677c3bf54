#!/usr/bin/env bash
# Each example does what it says and leaves nothing.
source "$(dirname "$0")/library.bash"

# example NAME [ARGUMENTS…] -- REGEX…: exits with 0 and prints lines that match each REGEX
example() {
  local arguments=()
  while [ "$1" != -- ]; do
    arguments+=("$1")
    shift
  done
  shift
  run "$examples/${arguments[0]}" "${arguments[@]:1}"
  expect_status 0 "${arguments[0]}"
  for line in "$@"; do expect_out "$line" "${arguments[0]}"; done
  expect_nothing_left "${arguments[0]}"
}

example hello -- '^hello world, from process [0-9]+, to process [0-9]+$'
grep -qE 'process ([0-9]+), to process \1$' "$scratch/out" && fail "hello was called in the driver itself"
example map -- '^collatz\(27\) takes 111 steps$' '^1010$' '^1040$' '^1090$'
example map_reduce -- '^pi is about 3\.141'
example lambdas_and_functors -- '^0 0\.5 1 1\.5 $' '^1 6 17 34 $' '^hello, Ada$' '^hello, Grace$'
example futures_any_order -- '^element 0 slept 80 ms$' '^element 1 slept 10 ms$' '^the last one was cancelled$'
[ "$(grep -c '^element' "$scratch/out")" = 4 ] || fail "futures_any_order does not give 4 elements"
example chaining -- '^12² = 144$' '^1 4 9 16 25 $'
example nested_calls --slots 1 -- '^fibonacci\(7\) = 13'
example errors_and_retries -- '^it threw a std::domain_error on .*: no root of -1' '^it worked at attempt 3$' '^it took too long$' \
  '^it killed its workers$' '^2 of 3 have a value$'
example asio_app -- '= 500500$'
example sleep --calls 8 --ms 10 -- '^8 sleeps of 10 ms took '
example pi_estimation --agents 2 --slots 1 --calls 200 --samples 20000 -- '^pi is about 3\.14' 'calls/s' ' ms \(least / median / most\)$' \
  ':0 pid [0-9]+ ran [0-9]+ calls$' ':1 pid [0-9]+ ran [0-9]+ calls$'

example put_get -- '^english: hello$' '^bytes 1 to 2: ol$' '^greetings/english has 5 bytes$' '^there is no french one$' '^removed 2$'
mkdir "$scratch/store"
example put_get --store "$scratch/store" -- '^greetings/spanish has 4 bytes$'
[ -z "$(find "$scratch/store" -type f)" ] || fail "put_get leaves files in its store"
example stream_object 9 -- '^9437184 bytes, which add up to 37748736$'
example map_over_objects 3 5 -- '^wrote 15 MiB at [0-9]+ MiB/s$' '^read 15 MiB at [0-9]+ MiB/s$' '^3 objects, 0 of them wrong$'
example cloud_object -- '^a table of [0-9]+ bytes$' '^100000 lines$'

# Words, counted by us and by wc.
licenses=/usr/share/common-licenses
if [ -d $licenses ]; then
  mapfile -t files < <(find -L $licenses -maxdepth 1 -type f)
  words=$(cat "${files[@]}" | LC_ALL=C wc -w)
  example word_count $licenses -- "^$words words in ${#files[@]} objects\$"
fi
run "$examples/presigned_url" nonsense
expect_status 2 "presigned_url of no object"
run "$examples/word_count"
expect_status 2 "word_count without a directory"
run "$examples/word_count" /no/such/directory
expect_status 1 "word_count of a directory that is not there"
expect_err '/no/such/directory' "word_count of a directory that is not there"
expect_nothing_left word_count

done_testing
