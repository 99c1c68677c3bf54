# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, twice in a row; the list of sources compiles as one unit, and all headers do, header-only.

What compiles alone also compiles behind headers that it includes itself, and what does not, does not: they are compiled in chains.
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


UMBRELLAS = ["corolith/corolith.hpp", "corolith/agent/agent.hpp"]  # header-only, as programs include them
SOURCES = "corolith/impl/src.hpp"
SEPARATE = ["-DCOROLITH_SEPARATE_COMPILATION"]


def unit(names):
    """The translation unit that tests a chain of headers, and the flags for it. What an .ipp includes is its own affair: it is compiled
    with its header in front (by corolith_compiled) and behind everything else (by the umbrella), not once more for each header above it."""
    text = "".join(f"#include <{name}>\n" for name in names)
    return text + ("" if names == [SOURCES] else text), [] if names[0] in UMBRELLAS else SEPARATE


def included_first(text):
    """Corolith's headers that a header includes in any case and before anything else; None when it includes one later."""
    found, depth, code = [], 0, False
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S).replace("\\\n", "")
    text = re.sub(r"#if !defined\(COROLITH_SEPARATE_COMPILATION\)\n(#include <[^>]*\.ipp>\n)+#endif\n", "", text)
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#include"):
            if code:
                return None
            name = re.match(r"#include <(corolith/.*)>", line)
            if name and depth == 0:
                found.append(name[1])
        elif line.startswith("#"):
            depth += line.startswith("#if") - line.startswith("#endif")
        else:
            code = True
    return found


def chains(texts):
    """The headers in as few chains as possible in which each includes, by whatever way, all those in front of it. Included in this order
    in one unit a header meets nothing but what it includes itself, so each is as good as alone."""
    direct = {name: included_first(text) or [] for name, text in texts.items()}
    below = {}
    for name in texts:
        below[name], left = set(), [name]
        while left:
            new = set(direct.get(left.pop(), ())) - below[name]
            below[name] |= new
            left += new

    above = {}  # lower header -> the next of its chain: a maximum matching gives the fewest chains

    def extend(name, tried):
        for lower in sorted(below[name] & set(texts)):
            if lower not in tried and name not in below[lower]:
                tried.add(lower)
                if lower not in above or extend(above[lower], tried):
                    above[lower] = name
                    return True
        return False

    for name in sorted(texts):
        extend(name, set())
    result = []
    for name in sorted(set(texts) - set(above.values())):
        result.append([name])
        while name in above:
            name = above[name]
            result[-1].append(name)
    return result


def problems_of(root, compiler, memory_file=None):
    memory = json.loads(memory_file.read_text()) if memory_file and memory_file.exists() else {}
    problems, checked = [], 0
    found = {name: path for name, path in house.headers(root).items() if name.endswith(".hpp")}
    singles = [name for name in found if name in [*UMBRELLAS, SOURCES]]
    units = chains({name: path.read_text() for name, path in found.items() if name not in singles})
    with tempfile.TemporaryDirectory() as folder:
        depfile = f"{folder}/deps"
        for names in [*units, *([name] for name in singles)]:
            text, flags = unit(names)
            known = memory.get(text)
            if known and known["command"] == compiler.command and all(stamp(n) == s for n, s in known["read"].items()):
                continue
            checked += len(names)
            passed, said = compiler.check(text, [*flags, "-MD", "-MF", depfile, "-MT", "unit"])
            if passed:
                memory[text] = {"command": compiler.command, "read": stamps(depfile)}
            else:
                memory.pop(text, None)
                problems += blamed(names, compiler) or [f"{', '.join(names)} do not compile together:\n{said[:3000]}"]
            if memory_file:
                memory_file.write_text(json.dumps(memory))
    return problems, checked


def blamed(names, compiler):
    """Which headers of a chain do not compile by themselves."""
    said = ((name, *compiler.check(*unit([name]))) for name in names)
    return [f"{name} does not compile alone:\n{text[:3000]}" for name, passed, text in said if not passed]


if __name__ == "__main__":
    found, count = problems_of(sys.argv[1], house.Compiler(sys.argv[2]), pathlib.Path(sys.argv[2]).with_name("headers_alone.json"))
    house.report("headers_alone", found, f"every header compiles alone ({count} compiled now, the rest unchanged)")
