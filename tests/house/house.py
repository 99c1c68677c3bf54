# SPDX-License-Identifier: Apache-2.0
"""What the tests of the house share: the headers, the floors and how a user's program is compiled."""
import json
import pathlib
import subprocess
import sys

FLOORS = {
    "core": 0,
    "coro": 1, "codec": 1, "uring": 1, "simd": 1,
    "wire": 2, "s3": 2,
    "launch": 3, "storage": 3, "agent": 3, "schedule": 3,
    "run": 4, "observe": 4, "pool": 4,
}
SKIPPED = 77


def headers(root):
    """Every header under include/, as corolith/... -> path."""
    include = pathlib.Path(root) / "include"
    found = sorted(p for p in include.rglob("*") if p.suffix in (".hpp", ".ipp"))
    return {p.relative_to(include).as_posix(): p for p in found}


def report(check, problems, good):
    """Prints the problems, or what is good, and exits accordingly."""
    for problem in problems:
        print(f"{check}: {problem}")
    if not problems:
        print(f"{check}: {good}")
    sys.exit(1 if problems else 0)


class Compiler:
    """Compiles as the user of a header-only corolith does, with the project's warnings as errors."""

    def __init__(self, description):
        about = json.loads(pathlib.Path(description).read_text())
        own = about["own"]
        system = [i for i in dict.fromkeys(about["includes"]) if i and i not in own + about["implicit"]]
        self.command = [about["compiler"], "-x", "c++", "-std=c++20", "-fsyntax-only", "-fmessage-length=0"]
        self.command += [o for o in dict.fromkeys(about["options"]) if o]
        self.command += [f"-D{d}" for d in dict.fromkeys(about["definitions"]) if d]
        for folder in own:
            self.command += ["-I", folder]
        for folder in system:
            self.command += ["-isystem", folder]

    def check(self, text, more=()):
        """Whether the text compiles, and what the compiler said."""
        done = subprocess.run([*self.command, *more, "-"], input=text, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode == 0, done.stdout
