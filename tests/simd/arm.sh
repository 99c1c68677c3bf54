#!/usr/bin/env bash
# Compiles the kernels and their tests for 64-bit Arm and runs them in an emulator. Takes a minute or more; tools/test runs it where
# the packages are there (tools/setup arm).
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)

compiler=${ARM_CXX:-aarch64-linux-gnu-g++}
for command in "$compiler" qemu-aarch64; do
  command -v "$command" >/dev/null && continue
  echo "arm: skipped: there is no $command; tools/setup arm installs it"
  exit 77
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Of the host's headers only those that are the same on every machine: Catch2 and xsimd.
mkdir "$work/host"
for library in catch2 xsimd; do
  found=
  for folder in "/usr/include/$library" "/usr/local/include/$library"; do [ -d "$folder" ] && found=$folder; done
  if [ -z "$found" ]; then echo "arm: skipped: there are no headers of $library; tools/setup installs them"; exit 77; fi
  ln -s "$found" "$work/host/$library"
done

flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -DCOROLITH_SIMD_DISPATCH
       -I "$source/include" -I "$source/tests" -isystem "$work/host")
cat >"$work/main.cpp" <<'END'
#define CATCH_CONFIG_MAIN
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#include <catch2/catch.hpp>
END
echo '#include <corolith/simd/impl/kernels.hpp>' >"$work/kernels.cpp"

compile() { "$compiler" "${flags[@]}" "$1" -c "$2" -o "$work/$(basename "$2" .cpp).o"; }
compile -O0 "$work/main.cpp"
compile -O3 "$work/kernels.cpp"
for test in "$source"/tests/simd/*.cpp; do compile -O1 "$test"; done
"$compiler" "$work"/*.o -pthread -o "$work/test_simd"

root=$(dirname "$(dirname "$("$compiler" -print-file-name=libc.so.6)")")
QEMU_LD_PREFIX=$root qemu-aarch64 "$work/test_simd"
