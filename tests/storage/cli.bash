# SPDX-License-Identifier: Apache-2.0
# What the scripts of the command line share: source it in an empty folder, with the program in $program. `cli_cases` are the cases for every
# store; $store is where (a folder that is not there, or s3://bucket/prefix).
failures=0
fail() {
  echo "FAILED: $*" >&2
  sed 's/^/  out: /' out >&2 2>/dev/null | head -5
  sed 's/^/  err: /' err >&2 2>/dev/null | head -5
  failures=$((failures + 1))
}
# expect STATUS WORDS…: runs `corolith store WORDS…`; its output is in out and err
expect() {
  local wanted=$1 status=0
  shift
  said="store $*"
  timeout -k 5 60 "$program" store "$@" >out 2>err || status=$?
  [ $status = "$wanted" ] || fail "$said: exit status $status instead of $wanted"
}
out_has() { grep -qE -- "$1" out || fail "$said: its output lacks '$1'"; }
out_lacks() { ! grep -qE -- "$1" out || fail "$said: its output has '$1'"; }
err_has() { grep -qE -- "$1" err || fail "$said: its standard error lacks '$1'"; }
out_is() { [ "$(cat out)" = "$1" ] || fail "$said: its output is not '$1'"; }
same() { cmp -s "$1" "$2" || fail "$said: $2 is not like $1"; }
not_there() { [ ! -e "$1" ] || fail "$said: there is a $1"; }
no_partial() { [ -z "$(find . -name '*corolith-*' -not -path './store/*')" ] || fail "$said: it leaves $(find . -name '*corolith-*')"; }
cli_done() { [ $failures = 0 ] || { echo "$failures failures" >&2; exit 1; }; exit 0; }

# Objects of some sizes, in a folder with folders.
make_files() {
  mkdir -p files/sub/deep "files/with space"
  printf 'hello\n' >files/a.txt
  : >files/empty
  head -c 20000003 /dev/urandom >files/sub/b.bin
  seq 1000 >files/sub/deep/c.txt
  printf 'x' >"files/with space/per%cent+plus&.txt"
}

cli_cases() {
  make_files
  # One object, there and back.
  expect 0 put files/a.txt "$store/one"
  expect 0 get "$store/one" one
  same files/a.txt one
  expect 0 put files/a.txt files/empty "$store/two/"
  expect 0 ls "$store/two/"
  out_has ' 6 (.*/)?a\.txt$'
  out_has ' 0 (.*/)?empty$'
  expect 0 get "$store/two/a.txt" "$store/two/empty" got/
  same files/a.txt got/a.txt
  same files/empty got/empty

  # A folder and all in it.
  expect 0 put -r files "$store/all" --progress lines --jobs 3
  err_has '^corolith: 5 objects put, 19 MiB in .*/s$'
  expect 0 get -r "$store/all" back
  diff -r files back >/dev/null || fail "$said: back is not like files"
  expect 0 ls -r --json "$store/all/"
  python3 -c '
import json, sys
found = {each["key"].split("all/")[-1]: each["size"] for each in map(json.loads, open("out"))}
wanted = {"a.txt": 6, "empty": 0, "sub/b.bin": 20000003, "sub/deep/c.txt": 3893, "with space/per%cent+plus&.txt": 1}
assert found == wanted, found' || fail "$said: the listing is wrong"
  expect 0 ls --json "$store/all/"
  out_has '"prefix":"(.*/)?sub/"'
  out_lacks 'deep'
  expect 0 ls --human -r "$store/all/"
  out_has ' 19 MiB .*b\.bin$'
  expect 1 put files "$store/all/"
  err_has 'files is a folder; -r'
  expect 1 get "$store/all/" elsewhere
  err_has 'is a folder; -r'

  # Standard streams.
  head -c 9000001 /dev/urandom >pipe.bin
  said="store put -"
  timeout 100 "$program" store put - "$store/from pipe" <pipe.bin || fail "$said: exit status $?"
  said="store put - of a slow pipe"
  { printf 'one '; sleep 0.3; printf 'two'; } | timeout 100 "$program" store put - "$store/slow" || fail "$said: exit status $?"
  expect 0 cat "$store/slow"
  out_is 'one two'
  expect 0 cat "$store/from pipe"
  same pipe.bin out
  expect 0 get "$store/from pipe" -
  same pipe.bin out
  expect 0 cat --range 1-3 "$store/one"
  out_is 'ell'
  expect 0 cat --range -3 "$store/one"
  out_is 'lo'
  expect 2 put - "$store/folder/"
  err_has 'standard input becomes one object'

  # Copies.
  expect 0 put --content-type text/plain --metadata Color=blue files/a.txt "$store/typed"
  expect 0 cp "$store/typed" "$store/copies/typed"
  expect 0 cat "$store/copies/typed"
  out_is hello
  expect 0 cp -r "$store/all" "$store/again/"
  expect 0 get -r "$store/again/" again
  diff -r files again >/dev/null || fail "$said: again is not like files"
  expect 2 cp -r "$store/all" "$store/all/inside"
  err_has 'without end'
  expect 0 cp "$store/typed" "$scratch/other store/typed"
  expect 0 cat "$scratch/other store/typed"
  out_is hello
  expect 1 cp "$store/missing" "$store/copies/missing"
  err_has missing

  # What is there and what is not.
  expect 1 put --keep files/empty "$store/one"
  expect 0 cat "$store/one"
  out_is hello
  expect 0 put --keep files/empty "$store/new"
  expect 1 get --keep "$store/one" files/empty
  err_has 'is there already'
  [ -s files/empty ] && fail "$said: it is replaced"
  expect 1 get "$store/missing" missing
  err_has missing
  not_there missing
  expect 1 put files/no-such-file "$store/never"
  err_has 'no-such-file: No such file'
  expect 1 put files/no-such-file files/a.txt "$store/some/"
  expect 0 cat "$store/some/a.txt"
  expect 1 ls "$store/missing"
  err_has 'there is nothing'

  # Removing.
  expect 0 rm "$store/one" "$store/two/a.txt" "$store/never/was"
  expect 1 get "$store/one" one-again
  expect 1 rm "$store/two/"
  err_has '-r removes'
  expect 0 rm -r "$store/all"
  expect 0 ls "$store/all/"
  out_is ""
  expect 0 ls -r "$store/again/"
  out_has 'c\.txt$'

  resume_cases
  interrupt_cases
  usage_cases
  no_partial
}

# A get that was interrupted goes on, but not with another content.
resume_cases() {
  local part
  expect 0 put files/sub/b.bin "$store/large"
  expect 0 get --resume "$store/large" resumed
  same files/sub/b.bin resumed
  rm resumed
  # As if it had been killed: the file that is written first, with half of it.
  mkdir resuming
  (cd resuming && ulimit -f 8000 && trap '' XFSZ && timeout 100 "$program" store get --resume "$store/large" resumed >../out 2>../err)
  said="store get --resume without room"
  [ ! -e resuming/resumed ] || fail "$said: there is a file"
  part=$(echo resuming/resumed.corolith-partial-*)
  [ -s "$part" ] || fail "$said: it leaves nothing to go on from"
  expect 0 get --resume "$store/large" resuming/resumed
  err_has 'goes on from [0-9.]+ MiB of 19 MiB'
  same files/sub/b.bin resuming/resumed
  not_there "$part"
  # The same again, but the object is another one by then.
  (cd resuming && ulimit -f 8000 && trap '' XFSZ && timeout 100 "$program" store get --resume "$store/large" other >../out 2>../err)
  expect 0 put pipe.bin "$store/large"
  expect 0 get --resume "$store/large" resuming/other
  same pipe.bin resuming/other
  [ -z "$(find resuming -name '*partial*')" ] || fail "$said: it leaves a partial file of what was"
}

# A signal gives up what is under way, and leaves nothing of it.
interrupt_cases() {
  local status=0 pid tenths=100
  said="store put -, and a signal"
  mkfifo silent
  sleep 30 >silent &
  local writer=$!
  env --default-signal timeout --foreground 60 "$program" store put - "$store/interrupted" <silent >out 2>err &
  pid=$!
  # Once it takes SIGINT and SIGTERM by itself. (In the foreground timeout sends one, not two, of which the second ends it at once.)
  until grep -qs '^SigBlk:.*4002$' /proc/"$(cat /proc/$pid/task/$pid/children 2>/dev/null | tr -d ' ')"/status; do
    [ $((tenths -= 1)) -gt 0 ] || break
    sleep 0.1
  done
  kill -TERM $pid
  wait $pid || status=$?
  kill $writer
  rm silent
  [ $status = 143 ] || fail "$said: exit status $status"
  err_has '^corolith: interrupted$'
  expect 1 cat "$store/interrupted"
  expect 0 ls -r "${store%/*}/"
  out_lacks 'interrupted|unfinished'
}

usage_cases() {
  expect 0 --help
  out_has '^usage: corolith store VERB'
  for verb in put get ls rm cp cat presign mb rb; do
    expect 0 $verb --help
    out_has "^usage: corolith store $verb"
    expect 2 $verb
    err_has "usage: corolith store $verb"
  done
  expect 2
  expect 2 frobnicate
  err_has "'frobnicate' is no verb"
  expect 2 put --jsn a b
  err_has "'--jsn' is no flag"
  expect 2 rm --json a
  err_has "'--json' is no flag of corolith store rm"
  expect 2 put --jobs many a b
  err_has "flag --jobs: 'many'"
  expect 2 get --jobs
  err_has 'a value was expected'
  expect 2 ls --secret-key=hunter2 "$store"
  err_has 'AWS_SECRET_ACCESS_KEY'
  grep -q hunter2 err && fail "$said: it repeats a secret"
  expect 2 put a b "$store/c"
  err_has 'slash at its end'
  expect 2 cat --range 5 "$store/a"
  err_has 'is no range'
  expect 2 ls gopher://x
  err_has 's3://'
  expect 0 rm -- -file-that-is-not-there
}
