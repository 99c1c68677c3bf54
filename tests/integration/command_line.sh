#!/usr/bin/env bash
# The commands of corolith but for `store`: what they print, their help, errors and exit statuses.
source "$(dirname "$0")/library.bash"
corolith=$build/tools/corolith
export HOME=$scratch/home
mkdir -m 700 "$HOME"
json() { python3 -c "import json, sys
lines = [json.loads(line) for line in open('$scratch/out')]
$1" || fail "$2: its JSON is not as it should be"; }
# Nothing of Slurm is here, whatever this machine has.
mkdir "$scratch/bin"
for tool in bash sh cat env sleep id rm; do ln -s "$(command -v $tool)" "$scratch/bin/$tool"; done

# Help, for each command that there is, and what is no command.
run "$corolith" --help
expect_status 0 "--help"
names=$(sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' "$scratch/out")
for name in hello doctor run jobs logs cancel config store completion man; do
  grep -qx "$name" <<<"$names" || fail "--help does not list $name"
done
for words in hello doctor run jobs logs cancel "config show" "completion bash" man; do
  for flag in --help -h; do
    run "$corolith" $words $flag
    expect_status 0 "$words $flag"
    expect_out "^usage: corolith $words" "$words $flag"
    [ -s "$scratch/err" ] && fail "$words $flag: it writes to standard error"
  done
  run "$corolith" $words --frobnicate
  expect_status 2 "$words --frobnicate"
  expect_err "'--frobnicate' is no flag of corolith $words; --help lists them" "$words --frobnicate"
done
for words in hello doctor jobs "config show" "completion bash" man; do
  run "$corolith" $words surplus
  expect_status 2 "$words surplus"
  expect_err "usage: corolith $words" "$words surplus"
done
run "$corolith" config --help
expect_status 0 "config --help"
expect_out 'usage: corolith config show' "config --help"
run "$corolith"
expect_status 2 "no command"
expect_err '^usage: corolith COMMAND' "no command"
run "$corolith" frobnicate
expect_status 2 "an unknown command"
expect_err "'frobnicate' is no command of corolith" "an unknown command"
run "$corolith" config
expect_status 2 "half a command"
expect_err 'was expected behind it: show' "half a command"
run "$corolith" config hide
expect_status 2 "an unknown second word"
expect_err "'hide' is no command of corolith config, which has show" "an unknown second word"
run "$corolith" --version
expect_status 0 "--version"
expect_out '^corolith [0-9]+\.[0-9]+\.[0-9]+$' "--version"

# hello, for one agent and for several.
run "$corolith" hello --slots 2
expect_status 0 "hello"
expect_out '^hello from 2 slots of 1 agent \(launcher local\)$' "hello"
run "$corolith" hello --agents 2 --slots 1 --listen tcp:127.0.0.1:0 --json
expect_status 0 "hello --json"
json 'assert len(lines) == 1 and lines[0]["slots"] == 2 and len(lines[0]["agents"]) == 2, lines
assert all(each["slots"] == 1 and each["processors"] > 0 and each["host"] for each in lines[0]["agents"])
assert 0 < lines[0]["call_s"] < lines[0]["first_answer_s"] + 60' "hello --json"
run env COROLITH_SLOTS=3 "$corolith" hello
expect_out '^hello from 3 slots' "hello with a variable"
run "$corolith" hello --slots many
expect_status 2 "hello --slots many"
expect_err "flag --slots: 'many'" "hello --slots many"
run "$corolith" hello --slots
expect_status 2 "hello --slots"
expect_err 'flag --slots: a value was expected' "hello --slots"
run "$corolith" hello --json=yes
expect_status 2 "hello --json=yes"
run env PATH="$scratch/bin" "$corolith" hello --launcher slurm --relaunch never
expect_status 1 "hello without Slurm"
expect_err 'sbatch' "hello without Slurm"
launch "$corolith" hello --slots 2 --listen tcp:127.0.0.1:0
kill -INT "$pid"
finished "$pid"
case $status in 0 | 130) ;; *) fail "hello and Ctrl-C: exit status $status" ;; esac
expect_nothing_left "hello"

# config show: each value with its place.
echo '{"agents": 3, "timeout": "5s", "partition": "gp"}' >"$scratch/run.json"
run env COROLITH_TIMEOUT=7s "$corolith" config show --config "$scratch/run.json" --nodes 2
expect_status 0 "config show"
expect_out '^agents +2 +flag --nodes$' "config show"
expect_out '^timeout +7s +environment variable COROLITH_TIMEOUT$' "config show"
expect_out '^partition +gp .*run.json, key partition$' "config show"
expect_out '^heartbeat +\(2s\) +default$' "config show"
run env COROLITH_CONFIG="$scratch/run.json" "$corolith" config show --json
json 'by = {each["name"]: each for each in lines}
assert by["agents"]["value"] == "3" and by["agents"]["source"].endswith("key agents"), by["agents"]
assert by["retries"]["value"] is None and by["retries"]["source"] == "default" and by["retries"]["default"] == "0", by["retries"]
assert by["config"]["source"] == "environment variable COROLITH_CONFIG"' "config show --json"
run "$corolith" config show --given
[ -s "$scratch/out" ] && fail "config show --given: nothing is given, and it prints something"
run "$corolith" config show --timeout soon
expect_status 2 "config show of a wrong value"
expect_err "flag --timeout: 'soon'" "config show of a wrong value"

# run: settings for a program, in front of it; what is behind it is its own.
run "$corolith" run --agents 2 --slots 1 "$examples/pi_estimation" --calls 200 --samples 20000
expect_status 0 "run"
expect_out ':1 pid' "run"
run "$corolith" run "$programs/talker" status 17
expect_status 17 "run of a program that returns 17"
run "$corolith" run --timeout 5s --config "$scratch/run.json" -- env
expect_out '^COROLITH_TIMEOUT=5s$' "run env"
expect_out "^COROLITH_CONFIG=$scratch/run.json$" "run env"
run "$corolith" run env --help
expect_status 0 "run env --help"
expect_out 'Usage: env' "run env --help"
run "$corolith" run "$scratch/none"
expect_status 1 "run of what is not there"
expect_err "cannot run '$scratch/none': No such file" "run of what is not there"
run "$corolith" run
expect_status 2 "run of nothing"
run "$corolith" run --slots x env
expect_status 2 "run with a wrong setting"

# Jobs, without a Slurm (with one: tests/slurm/command_line.sh).
for words in jobs "cancel --all"; do
  run env PATH="$scratch/bin" "$corolith" $words
  expect_status 1 "$words without Slurm"
  expect_err 'squeue' "$words without Slurm"
done
run "$corolith" cancel
expect_status 2 "cancel of nothing"
run "$corolith" cancel 12 --all
expect_status 2 "cancel of a job and all"

# logs: of a run that is there, as it grows, and of none.
run "$corolith" logs
expect_status 1 "logs of nothing"
expect_err 'no run of yours has a log' "logs of nothing"
run "$corolith" logs 4711
expect_status 1 "logs of an unknown job"
expect_err "no log of a job '4711'" "logs of an unknown job"
launch "$programs/talker" --slots 1 --log-level debug children "$scratch/children"
talker=$pid
until_true "the calls" test -s "$scratch/children"
XDG_RUNTIME_DIR=$runtime "$corolith" logs --list >"$scratch/list"
grep -q "^$runtime/corolith-.*/agent-0.log$" "$scratch/list" || fail "logs --list does not list the log of the agent"
echo "a line of the agent" >>"$(cat "$scratch/list")"
XDG_RUNTIME_DIR=$runtime "$corolith" logs >"$scratch/log"
grep -q 'a line of the agent' "$scratch/log" || fail "logs does not show the log of the agent"
XDG_RUNTIME_DIR=$runtime "$corolith" logs -f >"$scratch/followed" &
follower=$!
has_line() { grep -qs "$1" "$scratch/followed"; }
until_true "logs -f to show what is there" has_line 'a line of the agent'
echo "another line" >>"$(cat "$scratch/list")"
until_true "logs -f to show what comes" has_line 'another line'
kill -INT "$talker"
finished "$talker"
until_true "logs -f to end with the run" ended "$follower"
wait "$follower" || fail "logs -f: exit status $?"
mkdir "$scratch/logs"
echo "of job 12" >"$scratch/logs/job-12.log"
run "$corolith" logs 12 --log-folder "$scratch/logs"
expect_status 0 "logs of a folder"
expect_out '^of job 12$' "logs of a folder"
run "$corolith" logs "$scratch/logs/job-12.log"
expect_out '^of job 12$' "logs of a file"

# Completion, in a bash.
"$corolith" completion bash >"$scratch/completion" || fail "completion bash: exit status $?"
# complete_to WORDS… EXPECTED: EXPECTED is among what bash offers for the last of WORDS
complete_to() {
  local expected=${*: -1}
  set -- "${@:1:$#-1}"
  bash -c 'source "$1"; shift; COMP_WORDS=(corolith "$@"); COMP_CWORD=$#; _corolith; printf "%s\n" "${COMPREPLY[@]}"' \
    - "$scratch/completion" "$@" | grep -xF -- "$expected" >/dev/null || fail "completion of '$*' lacks $expected"
}
complete_to he hello
complete_to "" doctor
complete_to config s show
complete_to store pre presign
complete_to hello --launch --launcher
complete_to store get --res --resume
complete_to logs --fo --follow
bash -n "$scratch/completion" || fail "completion bash is no bash"

# The man page has each command and flag.
run "$corolith" man
expect_status 0 "man"
for text in '^.SH NAME' '^.SS hello' '^.SS store put' '\\fB\\-\\-launcher\\fR' '^.SH EXIT STATUS'; do expect_out "$text" "man"; done
if command -v man >/dev/null && command -v groff >/dev/null; then
  warnings=$(MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$scratch/out" 2>&1 >/dev/null)
  [ -z "$warnings" ] || fail "man: $warnings"
fi
expect_nothing_left "all of these"
done_testing
