# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, twice in a row; the list of sources compiles as one unit, and all headers do, header-only.

What passed is remembered in the build tree with the time stamps of all that was read, so that only changes cost time.
"""
import json
import os
import pathlib
import re
import sys
import tempfile

import house


def stamps(depfile):
    """path -> time stamp and size of everything that a compilation read."""
    names = re.split(r"(?<!\\)\s+", pathlib.Path(depfile).read_text().split(":", 1)[1].replace("\\\n", " ").strip())
    return {n: stamp(n) for n in names if n and n != "-"}


def stamp(name):
    try:
        about = os.stat(name)
        return [about.st_mtime_ns, about.st_size]
    except OSError:
        return None


def unit(name):
    """The translation unit that tests a header, and the flags for it. What an .ipp includes is its own affair: it is compiled with
    its header in front (by corolith_compiled) and behind everything else (by the umbrella), not once more for each header above it."""
    text = f"#include <{name}>\n"
    if name in UMBRELLAS:
        return text + text, []
    return text + ("" if name == SOURCES else text), ["-DCOROLITH_SEPARATE_COMPILATION"]


UMBRELLAS = ["corolith/corolith.hpp", "corolith/agent/agent.hpp"]  # header-only, as programs include them
SOURCES = "corolith/impl/src.hpp"


def problems_of(root, compiler, memory_file=None):
    memory = json.loads(memory_file.read_text()) if memory_file and memory_file.exists() else {}
    problems, checked = [], 0
    with tempfile.TemporaryDirectory() as folder:
        depfile = f"{folder}/deps"
        for name in house.headers(root):
            if not name.endswith(".hpp"):
                continue
            text, flags = unit(name)
            known = memory.get(name)
            if known and known["command"] == compiler.command and all(stamp(n) == s for n, s in known["read"].items()):
                continue
            checked += 1
            passed, said = compiler.check(text, [*flags, "-MD", "-MF", depfile, "-MT", "unit"])
            if passed:
                memory[name] = {"command": compiler.command, "read": stamps(depfile)}
            else:
                memory.pop(name, None)
                problems.append(f"{name} does not compile alone:\n{said[:3000]}")
            if memory_file:
                memory_file.write_text(json.dumps(memory))
    return problems, checked


if __name__ == "__main__":
    found, count = problems_of(sys.argv[1], house.Compiler(sys.argv[2]), pathlib.Path(sys.argv[2]).with_name("headers_alone.json"))
    house.report("headers_alone", found, f"every header compiles alone ({count} compiled now, the rest unchanged)")
