# SPDX-License-Identifier: Apache-2.0
# What the scripts share: source it with the build folder in $1. Programs run with a folder of the script's own as
# XDG_RUNTIME_DIR: it takes their session folders, and in the environment of all that they start it tells whose it is.
set -uo pipefail
build=$1
examples=$build/examples
programs=$build/tests/integration/programs
scratch=$(mktemp -d)
runtime=$scratch/runtime
temporary=$scratch/temporary  # the stores of runs
mkdir -m 700 "$runtime" "$temporary"
failures=0
for variable in $(compgen -e COROLITH_); do unset "$variable"; done

finish() {
  for pid in $(processes); do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$scratch"
}
trap finish EXIT

# What the program wrote is shown once.
shown=
fail() {
  echo "FAILED: $*" >&2
  [ -n "$shown" ] || for file in "$scratch"/out "$scratch"/err; do [ -s "$file" ] && sed "s|^|  ${file##*/}: |" "$file" | tail -20 >&2; done
  shown=yes
  failures=$((failures + 1))
}

# run PROGRAM ARGUMENTS…: its output in $scratch/out and $scratch/err, its exit status in $status
run() {
  status=0 shown=
  XDG_RUNTIME_DIR=$runtime TMPDIR=$temporary timeout -k 5 240 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
}

# launch PROGRAM ARGUMENTS…: the same in the background, with its process id in $pid and signals as on a terminal
launch() {
  shown=
  XDG_RUNTIME_DIR=$runtime TMPDIR=$temporary env --default-signal "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
  pid=$!
  until_true "$1 to start" started "$1"
}
# Before that a signal would meet this shell's copy of itself, and its trap.
started() { [ "$(readlink "/proc/$pid/exe")" = "$(realpath "$1")" ] || ended "$pid"; }

# finished PID: waits for what was launched; its exit status in $status
finished() {
  until_true "process $1 to end" ended "$1" || kill -KILL "$1"
  status=0
  wait "$1" || status=$?
}
ended() { ! [ -e "/proc/$1/stat" ] || [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" = Z ]; }

# until_true TEXT COMMAND…: waits until COMMAND succeeds; the deadline is only there for broken tests
patience=120
until_true() {
  local what=$1 deadline=$((SECONDS + patience))
  shift
  until "$@"; do
    if [ $SECONDS -ge $deadline ]; then
      fail "waited in vain for $what"
      return 1
    fi
    sleep 0.02
  done
}

# processes [WORD]: ids of all that was started, whoever its parent is; with a WORD that is in the command line
processes() {
  local file
  # An agent that holds a secret shows its environment to root alone, but its arguments name the folder too.
  {
    grep -lzFx "XDG_RUNTIME_DIR=$runtime" /proc/[0-9]*/environ 2>/dev/null
    grep -lzF "secret_file=$runtime" /proc/[0-9]*/cmdline 2>/dev/null
  } | sort -u -t/ -k3,3 | while IFS=/ read -r _ _ id _; do
    if [ $# -eq 0 ] || grep -qsF -- "$1" "/proc/$id/cmdline"; then echo "$id"; fi
  done
}
nothing_left() { [ -z "$(processes)" ] && [ -z "$(ls -A "$runtime" "$temporary" | grep -v ":$")" ]; }
some() { [ -n "$(processes "$@")" ]; }

expect_status() { [ "$status" = "$1" ] || fail "$2: exit status $status instead of $1"; }
expect_out() { grep -qE -- "$1" "$scratch/out" || fail "$2: its output lacks '$1'"; }
expect_err() { grep -qE -- "$1" "$scratch/err" || fail "$2: its standard error lacks '$1'"; }
expect_no_err() { ! grep -qE -- "$1" "$scratch/err" || fail "$2: its standard error has '$1'"; }
expect_nothing_left() {
  until_true "$1 to leave nothing" nothing_left && return
  for id in $(processes); do echo "  left: $id $(tr '\0' ' ' <"/proc/$id/cmdline")" >&2; done
  ls -A "$runtime" "$temporary" >&2
}
done_testing() {
  [ $failures -eq 0 ] && exit 0
  echo "$failures failures" >&2
  exit 1
}
