# SPDX-License-Identifier: Apache-2.0
"""Every complete program in README.md and docs/*.md (a block marked cpp that has a main) compiles."""
import pathlib
import re
import sys

import house

BLOCK = re.compile(r"^```cpp[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def programs(root):
    """(file, line, text) of every complete program."""
    root = pathlib.Path(root)
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        if path.exists():
            text = path.read_text(encoding="utf-8")
            for block in BLOCK.finditer(text):
                if re.search(r"\bint main\(", block.group(1)):
                    yield path.relative_to(root).as_posix(), text.count("\n", 0, block.start()) + 1, block.group(1)


def problems_of(root, compiler):
    problems = []
    found = list(programs(root))
    if not any(name == "README.md" for name, _, _ in found):
        problems.append("README.md shows no complete program (a block marked cpp with an int main)")
    for name, line, text in found:
        # A third of the time; headers_alone and install.* compile header-only.
        passed, said = compiler.check(text, ["-DCOROLITH_SEPARATE_COMPILATION"])
        if not passed:
            problems.append(f"{name}:{line}: this program does not compile:\n{said[:4000]}")
    return problems


if __name__ == "__main__":
    if not (pathlib.Path(sys.argv[1]) / "README.md").exists():
        print("readme: there is no README.md")
        sys.exit(house.SKIPPED)
    house.report("readme", problems_of(sys.argv[1], house.Compiler(sys.argv[2])), f"{len(list(programs(sys.argv[1])))} programs compile")
