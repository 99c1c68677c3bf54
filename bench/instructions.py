#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of a no-op call in driver, agent and worker, and compares them with the record, instructions.json.

  bench/instructions.py BUILD             compares; fails when one grew by more than 20 %
  bench/instructions.py BUILD --record    writes what was counted into the record

BUILD is a build tree with tests/integration/programs/noops. Instructions are those of user space, counted by valgrind; what start and end
of the processes take cancels out, as two runs with different numbers of calls are compared. Each kind of build has a record of its
own. Exit status: 0 as recorded, 1 grown, 77 nothing to compare with (no valgrind, or no record for this kind of build)."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

RECORD = pathlib.Path(__file__).resolve().with_suffix(".json")
FEW, MANY = 2_000, 12_000
ROLES = ("driver", "agent", "worker")
MOST_GROWTH = 1.20
FLAGS = ["--agents", "1", "--slots", "1", "--progress", "never", "--grace", "600s", "--silence", "600s", "--launch-timeout", "600s"]


def fail(text):
    print(f"instructions: {text}", file=sys.stderr)
    sys.exit(1)


def kind_of(build):
    """Compiler and optimisation: what the number depends on most."""
    cache = dict(re.findall(r"^([A-Z_a-z]+):[A-Z]+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M))
    version = subprocess.run([cache["CMAKE_CXX_COMPILER"], "-dumpversion"], capture_output=True, text=True, check=True)
    name = "clang" if "clang" in cache["CMAKE_CXX_COMPILER"] else "gcc"
    return f"{name} {version.stdout.strip().split('.')[0]} {cache['CMAKE_BUILD_TYPE']}"


def role_of(command):
    return "agent" if "--corolith-agent" in command else "worker" if "--corolith-worker" in command else "driver"


def count(program, calls):
    """Instructions by role of one run."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/runtime", 0o700)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COROLITH_")}
        environment.update(XDG_RUNTIME_DIR=f"{folder}/runtime", TMPDIR=folder)
        done = subprocess.run(
            ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes", "--fair-sched=try",
             f"--callgrind-out-file={folder}/counted.%p", str(program), *FLAGS, str(calls)],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200)
        if done.returncode != 0:
            fail(f"{program} {calls} ended with status {done.returncode}:\n{done.stderr[-4000:]}")
        totals = dict.fromkeys(ROLES, 0)
        for file in pathlib.Path(folder).glob("counted.*"):
            text = file.read_text()
            command = re.search(r"^cmd: (.*)$", text, re.M)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            # A child before it executes something, or a shell: no role of the program.
            if command and total and program.name in command[1]:
                totals[role_of(command[1])] += int(total[1])
        for role, total in totals.items():
            if total == 0:
                fail(f"nothing was counted for the {role}; the run said:\n{done.stderr[-4000:]}")
        return totals


def per_call(program):
    few, many = count(program, FEW), count(program, MANY)
    return {role: round((many[role] - few[role]) / (MANY - FEW)) for role in ROLES}


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--record"]):
        fail(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    if shutil.which("valgrind") is None:
        print("instructions: valgrind is not installed (tools/setup)")
        sys.exit(77)
    kind = kind_of(build)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    renew = f"bench/instructions.py {sys.argv[1]} --record"
    if sys.argv[2:] == [] and kind not in record:
        print(f"instructions: there is no record for {kind}; make one: {renew}")
        sys.exit(77)
    counted = per_call(build / "tests/integration/programs/noops")
    print(f"instructions of a no-op call, {kind}: {counted}")
    if sys.argv[2:]:
        record[kind] = counted
        RECORD.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
        return
    grown = [f"{role}: {counted[role]} instructions a call, recorded are {record[kind][role]}"
             for role in ROLES if counted[role] > MOST_GROWTH * record[kind][role]]
    if grown:
        fail("a call costs more than 20 % more than recorded. " + "; ".join(grown) +
             f".\nIf that is worth it, say why in the commit and renew the record: {renew}")


if __name__ == "__main__":
    main()
