#!/usr/bin/env bash
# What COROLITH_SIMD does, in a process for each value: environment.sh BUILD [COMMAND THAT RUNS A PROGRAM...]
set -euo pipefail
program=("${@:2}" "$1/tests/test_simd" "[.environment]")

said() { env "COROLITH_SIMD=$1" "${program[@]}" | grep -E '^(usable|active|config_error) '; }
fail() { echo "environment: COROLITH_SIMD='$1' gave: $2; expected: $3" >&2; exit 1; }
expect() {
  local answer
  answer=$(said "$1" | tail -n 1)
  [[ $answer == $2 ]] || fail "$1" "$answer" "$2"
}

usable=$(said "" | sed -n 's/^usable //p')
[ -n "$usable" ] || fail "" "no usable set" "at least one"
expect "" "active $(tail -n 1 <<<"$usable")"
for set in $usable; do expect "$set" "active $set"; done
for set in sse2 avx2 avx512 neon; do
  grep -qx "$set" <<<"$usable" || expect "$set" "config_error environment variable COROLITH_SIMD: *$set*"
done
for wrong in fast AVX2 "avx2 " avx2,sse2 0; do
  expect "$wrong" "config_error environment variable COROLITH_SIMD: '$wrong' is none of sse2, avx2, avx512, neon"
done
echo "environment: each of" $usable "can be chosen, and nothing else"
