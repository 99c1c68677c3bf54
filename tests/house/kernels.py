# SPDX-License-Identifier: Apache-2.0
"""Reads the symbols of the kernels' objects: what the linker may take from any of them for all carries its instruction set's name.

An inline function that two objects hold is linked once: the one that was compiled for AVX-512 might end up in the code that runs
on a machine without.
"""
import re
import subprocess
import sys

import house

MERGED = "uVW"  # of the letters of nm: unique and weak symbols
POINTER = re.compile(r"DW\.ref\.")  # holds an address, no code
MEMBER = re.compile(r"^(?:.*[(/])?(\w+)\.cpp\.o(?:bj)?\)?:$")
SYMBOL = re.compile(r"^[0-9a-fA-F]*\s+([A-Za-z])\s+(.*)$")


def problems_of(listing):
    """What is wrong in what `nm --demangle --defined-only` says of a library with one object for each instruction set."""
    problems, sets, current = [], [], None
    for line in listing.splitlines():
        member, symbol = MEMBER.match(line), SYMBOL.match(line)
        if member:
            current = member.group(1)
            sets.append(current)
        elif symbol and current:
            kind, name = symbol.groups()
            if kind in MERGED and not POINTER.match(name) and not re.search(rf"\bdetail::{current}\b", name):
                problems.append(f"{current}: the linker may take this for all sets: {name}")
    if not sets:
        problems.append("there are no objects")
    return problems


if __name__ == "__main__":
    listing = subprocess.run([sys.argv[2], "--demangle", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True).stdout
    house.report("kernels", problems_of(listing), f"{sum(' W ' in line for line in listing.splitlines())} weak symbols name their set")
