# SPDX-License-Identifier: Apache-2.0
"""compile_fail.py COMPILE_JSON FILE: the file must not compile, and the compiler must say what its first line expects.

The first line is `// expect: REGEX`, or `// expect: compiles` for a control that shows that the others fail for their own reason.
"""
import pathlib
import re
import sys

import house


def problems_of(name, text, compiler):
    expected = re.match(r"// expect: (.+)", text)
    if not expected:
        return [f"{name}: its first line is not // expect: REGEX"]
    passed, said = compiler.check(text, ["-DCOROLITH_SEPARATE_COMPILATION"])  # a third of the time
    pattern = expected.group(1).strip()
    if pattern == "compiles":
        return [] if passed else [f"{name} must compile:\n{said[:4000]}"]
    if passed:
        return [f"{name} compiles, and must not"]
    if not re.search(pattern, said):
        return [f"{name} fails, but the compiler does not say /{pattern}/:\n{said[:6000]}"]
    return []


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[2])
    house.report("compile_fail", problems_of(path.name, path.read_text(), house.Compiler(sys.argv[1])), f"{path.name} is as it should be")
