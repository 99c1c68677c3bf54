# SPDX-License-Identifier: Apache-2.0
"""check_storage.py OUTPUT REPORT [NODE...]: what bench/storage wrote to standard output and into its report fits the schema, the sums are right, and all
these nodes ran calls."""
import collections
import json
import math
import pathlib
import sys

import json_schema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs" / "storage_report.schema.json"


def lines_of(path):
    """The metrics by name, and what is wrong with the lines."""
    found, problems = {}, []
    for line in path.read_text().splitlines():
        fields = json.loads(line)
        if fields["bench"] != "storage" or not isinstance(fields["value"], (int, float)) or not fields["unit"]:
            problems.append(f"a line without what each has: {line}")
        if ("ratio" in fields) != ("ratio_to" in fields):
            problems.append(f"half a ratio: {line}")
        found[fields["metric"]] = fields
    return found, problems


def sums_of(phase, work, times):
    """Pairs that have to be equal, by name. `times`: how often each call moves its object."""
    calls, total = phase["calls"], phase["total"]
    mb = work["bytes_per_object"] * times / 1e6
    yield "calls", len(calls), work["number"] - total["failed"]
    yield "total.calls", total["calls"], len(calls)
    yield "indices", len({call["index"] for call in calls}), len(calls)
    yield "mb", total["mb"], mb * len(calls)
    yield "mb_s", total["mb_s"], total["mb"] / total["wall_s"]
    yield "cpu_s_per_gb", total["cpu_s_per_gb"], sum(call["cpu_s"] for call in calls) / (total["mb"] / 1e3)
    yield "histogram", sum(bin["calls"] for bin in phase["rates"]["histogram"]), len(calls)
    yield "least", phase["rates"]["least"], min(call["mb_s"] for call in calls)
    yield "greatest", phase["rates"]["greatest"], max(call["mb_s"] for call in calls)
    yield "calls of nodes", {n["name"]: n["calls"] for n in phase["nodes"] if n["calls"]}, dict(collections.Counter(call["node"] for call in calls))
    yield "workers of nodes", sum(n["workers"] for n in phase["nodes"]), total["workers"]
    for call in calls:
        yield f"rate of call {call['index']}", call["mb_s"], mb / call["store_s"]


def disorder_of(phase):
    """Calls whose times are not in the order in which things happen; a node's clock was shifted by the mean where it could not be right for all."""
    for call in phase["calls"]:
        times = [call[key] for key in ("sent_s", "began_s", "ended_s", "received_s")]
        if times != sorted(times) or not 0 <= times[0] or times[-1] > phase["total"]["wall_s"] + 0.01:
            yield f"call {call['index']}: {times} of {phase['total']['wall_s']}"


def same(left, right):
    return left == right if isinstance(left, dict) else math.isclose(left, right, rel_tol=1e-5, abs_tol=1e-9)


def main():
    lines, problems = lines_of(pathlib.Path(sys.argv[1]))
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
        ran |= {node["name"] for node in phase["nodes"] if node["calls"]}
        sums = {call["checksum"] for call in phase["calls"]}
        if name == "read" and report["work"]["checksum"] != "none" and len(sums) != len(phase["calls"]):
            problems.append("objects with the same content")
    problems += [f"{node} ran no call" for node in sys.argv[3:] if node not in ran]
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
