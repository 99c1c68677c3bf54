# SPDX-License-Identifier: Apache-2.0
"""check_storage.py OUTPUT REPORT [NODE...]: what bench/storage wrote to standard output and into its report fits the schema, the sums are right, and all
these nodes ran calls."""
import json
import pathlib
import sys

import json_schema
from bench_report import disorder_of, lines_of, nodes_that_ran, same, sums_of_calls

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs" / "storage_report.schema.json"


def sums_of(phase, work, times):
    """Pairs that have to be equal, by name. `times`: how often each call moves its object."""
    calls, total = phase["calls"], phase["total"]
    yield from sums_of_calls(phase, work["number"], "mb_s")
    mb = work["bytes_per_object"] * times / 1e6
    yield "mb", total["mb"], mb * len(calls)
    yield "mb_s", total["mb_s"], total["mb"] / total["wall_s"]
    yield "cpu_s_per_gb", total["cpu_s_per_gb"], sum(call["cpu_s"] for call in calls) / (total["mb"] / 1e3)
    for call in calls:
        yield f"rate of call {call['index']}", call["mb_s"], mb / call["store_s"]


def main():
    lines, problems = lines_of(pathlib.Path(sys.argv[1]), "storage")
    report = json.loads(pathlib.Path(sys.argv[2]).read_text())
    problems += json_schema.problems_of(report, json.loads(SCHEMA.read_text()))
    if problems:
        sys.exit("\n".join(problems))
    phases = [name for name in ("write", "read") if name in report]
    if not phases:
        problems.append("the report has neither writes nor reads")
    ran = set()
    for name in phases:
        phase = report[name]
        times = report["work"]["read_times"] if name == "read" else 1
        problems += [f"{name}: {what}: {left} is not {right}" for what, left, right in sums_of(phase, report["work"], times) if not same(left, right)]
        problems += [f"{name}: {text}" for text in disorder_of(phase)]
        if f"{name}_mb_s" not in lines:
            problems.append(f"there is no line for {name}_mb_s")
        elif len(phase["rounds"]) == 1 and not same(lines[f"{name}_mb_s"]["value"], phase["total"]["mb_s"]):
            problems.append(f"{name}_mb_s of the output is not that of the report")
        ran |= nodes_that_ran(phase)
        sums = {call["checksum"] for call in phase["calls"]}
        if name == "read" and report["work"]["checksum"] != "none" and len(sums) != len(phase["calls"]):
            problems.append("objects with the same content")
    problems += [f"{node} ran no call" for node in sys.argv[3:] if node not in ran]
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
