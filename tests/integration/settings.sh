#!/usr/bin/env bash
# Flags, environment and configuration file, as users of a program meet them.
source "$(dirname "$0")/library.bash"
hello=$examples/hello

run "$hello" --help
expect_status 0 "--help"
expect_out '^usage: .*hello' "--help"
expect_out '--agents N' "--help"
expect_out 'COROLITH_LOG_LEVEL' "--help"
[ -s "$scratch/err" ] && fail "--help writes to standard error"
run "$hello" --version
expect_status 0 "--version"
expect_out '^corolith [0-9]+\.[0-9]+\.[0-9]+$' "--version"

# refused TEXT… -- PROGRAM ARGUMENTS…: exit status 2, nothing on standard output, and each TEXT in the complaint
refused() {
  local texts=()
  while [ "$1" != -- ]; do
    texts+=("$1")
    shift
  done
  shift
  run "$@"
  expect_status 2 "$*"
  for text in "${texts[@]}"; do grep -qF -- "$text" "$scratch/err" || fail "$*: its complaint lacks '$text'"; done
  [ -s "$scratch/out" ] && fail "$*: it writes to standard output"
  [ "$(wc -l <"$scratch/err")" = 1 ] || fail "$*: its complaint is not one line"
}

refused "flag --agents" "'none'" -- "$hello" --agents none
refused "flag --agents" -- "$hello" --agents=0
refused "flag --timeout" "'soon'" -- "$hello" --timeout soon
refused "flag --launcher" "'magic'" -- "$hello" --launcher magic
refused "flag --log-level" "'shout'" -- "$hello" --log-level shout
refused "'--agnets'" "--help" -- "$hello" --agnets 2
refused "'surplus'" -- "$hello" surplus
refused "--agents" -- "$hello" --agents
refused "environment variable COROLITH_SLOTS" "'x'" -- env COROLITH_SLOTS=x "$hello"
refused "/no/such/file" -- "$hello" --config /no/such/file
refused "/no/such/file" -- env COROLITH_CONFIG=/no/such/file "$hello"

config=$scratch/run.json
refused_file() {
  echo "$1" >"$config"
  shift
  refused "$config" "$@" -- "$hello" --config "$config"
}
refused_file '{"slots": "x"}' "key slots" "'x'"
refused_file '{"agents": 1, "slotz": 1}' "slotz"
refused_file '{"timeout": "soon"}' "key timeout"
refused_file '{"agents": 1'
refused_file 'agents = 1'

# Precedence, seen in how many workers there are: pi_estimation says which ones ran calls.
workers() { grep -c ' ran [0-9]* calls$' "$scratch/out"; }
pi() { run "$@" "$examples/pi_estimation" "${flags[@]}" --calls 200 --samples 20000; }
echo '{"agents": 2, "slots": 1}' >"$config"
flags=(--config "$config")
pi env
expect_out ':0 pid' "agents from the file"
expect_out ':1 pid' "agents from the file"
pi env COROLITH_AGENTS=1
[ "$(workers)" = 1 ] || fail "the environment does not come before the file: $(workers) workers"
flags+=(--agents 3)
pi env COROLITH_AGENTS=1
expect_out ':2 pid' "a flag before the environment"
flags=()
pi env COROLITH_CONFIG="$config"
expect_out ':1 pid' "COROLITH_CONFIG"

# What a program returns or throws is its exit status.
run "$programs/talker" status 17
expect_status 17 "a program that returns 17"
run "$programs/talker" fail
expect_status 1 "a program that throws"
expect_err "the driver's own error" "a program that throws"
run "$programs/talker" -- --agents
expect_status 3 "arguments after --"
expect_nothing_left "all of these"

done_testing
