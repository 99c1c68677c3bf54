# SPDX-License-Identifier: Apache-2.0
"""check_flops.py OUTPUT REPORT [NODE...]: what bench/flops wrote to standard output and into its report fits the schema, the sums are right, and all
these nodes ran calls."""
import collections
import json
import math
import pathlib
import sys

import json_schema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs" / "flops_report.schema.json"
METRICS = ("total_gflops", "peak_gflops", "share_of_peak", "cpu_utilisation", "kernel_share", "startup_s")


def lines_of(path):
    """The metrics by name, and what is wrong with the lines."""
    found, problems = {}, []
    for line in path.read_text().splitlines():
        fields = json.loads(line)
        if fields["bench"] != "flops" or not isinstance(fields["value"], (int, float)) or not fields["unit"]:
            problems.append(f"a line without what each has: {line}")
        if ("ratio" in fields) != ("ratio_to" in fields):
            problems.append(f"half a ratio: {line}")
        found[fields["metric"]] = fields
    return found, problems + [f"there is no line for {metric}" for metric in METRICS if metric not in found]


def sums_of(report):
    """Pairs that have to be equal, by name."""
    calls, work, total = report["calls"], report["work"], report["total"]
    slots_s = total["slots"] * total["wall_s"]
    yield "calls", len(calls), work["tasks"] - total["failed"]
    yield "total.calls", total["calls"], len(calls)
    yield "indices", len({call["index"] for call in calls}), len(calls)
    yield "flop_per_call", work["flop_per_call"], 2 * work["matn"] ** 3 * work["loopcount"]
    yield "gflops", total["gflops"], work["flop_per_call"] * len(calls) / total["wall_s"] / 1e9
    yield "slots", total["slots"], total["workers"] * work["threads_per_call"]
    yield "share_of_peak", total["share_of_peak"], total["gflops"] / total["peak_gflops"]
    yield "cpu_utilisation", total["cpu_utilisation"], sum(call["user_s"] for call in calls) / slots_s
    yield "kernel_share", total["kernel_share"], sum(call["kernel_s"] for call in calls) * work["threads_per_call"] / slots_s
    yield "histogram", sum(bin["calls"] for bin in report["rates"]["histogram"]), len(calls)
    yield "least", report["rates"]["least"], min(call["gflops"] for call in calls)
    yield "greatest", report["rates"]["greatest"], max(call["gflops"] for call in calls)
    yield "calls of nodes", {n["name"]: n["calls"] for n in report["nodes"] if n["calls"]}, dict(collections.Counter(call["node"] for call in calls))
    yield "workers of nodes", sum(n["workers"] for n in report["nodes"]), total["workers"]
    for call in calls:
        yield f"rate of call {call['index']}", call["gflops"], work["flop_per_call"] / call["kernel_s"] / 1e9


def disorder_of(report):
    """Calls whose times are not in the order in which things happen; a node's clock was shifted by the mean where it could not be right for all."""
    for call in report["calls"]:
        times = [call[key] for key in ("sent_s", "began_s", "ended_s", "received_s")]
        if times != sorted(times) or not 0 <= times[0] or times[-1] > report["total"]["wall_s"] + 0.01:
            yield f"call {call['index']}: {times} of {report['total']['wall_s']}"


def same(left, right):
    return left == right if isinstance(left, dict) else math.isclose(left, right, rel_tol=1e-5, abs_tol=1e-9)


def main():
    lines, problems = lines_of(pathlib.Path(sys.argv[1]))
    report = json.loads(pathlib.Path(sys.argv[2]).read_text())
    problems += json_schema.problems_of(report, json.loads(SCHEMA.read_text()))
    if not problems:
        problems += [f"{name}: {left} is not {right}" for name, left, right in sums_of(report) if not same(left, right)]
        problems += disorder_of(report)
        if len(report["rounds"]) == 1 and not same(lines["total_gflops"]["value"], report["total"]["gflops"]):
            problems.append("total_gflops of the output is not that of the report")
        ran = {node["name"] for node in report["nodes"] if node["calls"]}
        problems += [f"{node} ran no call" for node in sys.argv[3:] if node not in ran]
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
