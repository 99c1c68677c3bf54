# SPDX-License-Identifier: Apache-2.0
"""What the checks of benchmarks' outputs and reports share."""
import collections
import json
import math


def lines_of(path, bench):
    """The metrics that the bench printed, by name, and what is wrong with the lines."""
    found, problems = {}, []
    for line in path.read_text().splitlines():
        fields = json.loads(line)
        if fields["bench"] != bench or not isinstance(fields["value"], (int, float)) or not fields["unit"]:
            problems.append(f"a line without what each has: {line}")
        if ("ratio" in fields) != ("ratio_to" in fields):
            problems.append(f"half a ratio: {line}")
        found[fields["metric"]] = fields
    return found, problems


def sums_of_calls(part, asked, rate):
    """Pairs that have to be equal in every report over the calls of a map, of which `asked` were wanted, by name. `rate` is the key of a call's rate."""
    calls, total = part["calls"], part["total"]
    yield "calls", len(calls), asked - total["failed"]
    yield "total.calls", total["calls"], len(calls)
    yield "indices", len({call["index"] for call in calls}), len(calls)
    yield "histogram", sum(bin["calls"] for bin in part["rates"]["histogram"]), len(calls)
    yield "least", part["rates"]["least"], min(call[rate] for call in calls)
    yield "greatest", part["rates"]["greatest"], max(call[rate] for call in calls)
    yield "calls of nodes", {n["name"]: n["calls"] for n in part["nodes"] if n["calls"]}, dict(collections.Counter(call["node"] for call in calls))
    yield "workers of nodes", sum(n["workers"] for n in part["nodes"]), total["workers"]


def disorder_of(part):
    """Calls whose times are not in the order in which things happen; a node's clock was shifted by the mean where it could not be right for all."""
    for call in part["calls"]:
        times = [call[key] for key in ("sent_s", "began_s", "ended_s", "received_s")]
        if times != sorted(times) or not 0 <= times[0] or times[-1] > part["total"]["wall_s"] + 0.01:
            yield f"call {call['index']}: {times} of {part['total']['wall_s']}"


def same(left, right):
    return left == right if isinstance(left, dict) else math.isclose(left, right, rel_tol=1e-5, abs_tol=1e-9)


def nodes_that_ran(part):
    return {node["name"] for node in part["nodes"] if node["calls"]}
