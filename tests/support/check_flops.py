# SPDX-License-Identifier: Apache-2.0
"""check_flops.py OUTPUT REPORT [NODE...]: what bench/flops wrote to standard output and into its report fits the schema, the sums are right, and all
these nodes ran calls."""
import json
import pathlib
import sys

import json_schema
from bench_report import disorder_of, lines_of, nodes_that_ran, same, sums_of_calls

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs" / "flops_report.schema.json"
METRICS = ("total_gflops", "peak_gflops", "share_of_peak", "cpu_utilisation", "cpu_waiting", "kernel_share", "startup_s")


def sums_of(report):
    """Pairs that have to be equal, by name."""
    calls, work, total = report["calls"], report["work"], report["total"]
    yield from sums_of_calls(report, work["tasks"], "gflops")
    slots_s = total["slots"] * total["wall_s"]
    yield "flop_per_call", work["flop_per_call"], 2 * work["matn"] ** 3 * work["loopcount"]
    yield "gflops", total["gflops"], work["flop_per_call"] * len(calls) / total["wall_s"] / 1e9
    yield "slots", total["slots"], total["workers"] * work["threads_per_call"]
    yield "share_of_peak", total["share_of_peak"], total["gflops"] / total["peak_gflops"]
    yield "cpu_utilisation", total["cpu_utilisation"], sum(call["user_s"] for call in calls) / slots_s
    yield "cpu_waiting", total["cpu_waiting"], sum(call["waited_s"] for call in calls) * work["threads_per_call"] / slots_s
    yield "kernel_share", total["kernel_share"], sum(call["kernel_s"] for call in calls) * work["threads_per_call"] / slots_s
    for call in calls:
        yield f"rate of call {call['index']}", call["gflops"], work["flop_per_call"] / call["kernel_s"] / 1e9


def main():
    lines, problems = lines_of(pathlib.Path(sys.argv[1]), "flops")
    problems += [f"there is no line for {metric}" for metric in METRICS if metric not in lines]
    report = json.loads(pathlib.Path(sys.argv[2]).read_text())
    problems += json_schema.problems_of(report, json.loads(SCHEMA.read_text()))
    if not problems:
        problems += [f"{name}: {left} is not {right}" for name, left, right in sums_of(report) if not same(left, right)]
        problems += disorder_of(report)
        if len(report["rounds"]) == 1 and not same(lines["total_gflops"]["value"], report["total"]["gflops"]):
            problems.append("total_gflops of the output is not that of the report")
        ran = nodes_that_ran(report)
        problems += [f"{node} ran no call" for node in sys.argv[3:] if node not in ran]
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
