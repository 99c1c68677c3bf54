# SPDX-License-Identifier: Apache-2.0
"""Reads every file of the project: nothing left to do, no path of somebody's machine, each source with its licence line."""
import pathlib
import re
import subprocess
import sys

import house

# Put together so that this file does not match itself.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE = re.compile(r"(?<![\w.~}])(?:/wo" r"rk/|/ho" r"me/\w|/ro" r"ot/|/Us" r"ers/)|\.\./sha" r"red\b")
SOURCE = (".hpp", ".ipp", ".cpp")
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


def files(root):
    """What git would commit; everything but build trees where there is no git."""
    root = pathlib.Path(root)
    done = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          capture_output=True, text=True, check=False)
    if done.returncode == 0:
        names = [n for n in done.stdout.split("\0") if n]
    else:
        names = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
    return {n: root / n for n in sorted(set(names)) if not n.startswith((".git/", "build", "out/")) and (root / n).is_file()}


def problems_of(root):
    problems = []
    for name, path in files(root).items():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # binary
        for number, line in enumerate(text.split("\n"), 1):
            if UNFINISHED.search(line) or MACHINE.search(line):
                problems.append(f"{name}:{number}: {line.strip()[:100]}")
        if path.suffix in SOURCE and LICENCE not in text[:400]:
            problems.append(f"{name}: its first lines have no licence line: {LICENCE.strip()}")
        if path.suffix == ".hpp" and "\n#pragma once\n" not in text:
            problems.append(f"{name}: no #pragma once")
        if name.startswith("include/") and not text.isascii():
            problems.append(f"{name}: has characters outside ASCII")
    return problems


if __name__ == "__main__":
    house.report("text", problems_of(sys.argv[1]), f"{len(files(sys.argv[1]))} files read")
