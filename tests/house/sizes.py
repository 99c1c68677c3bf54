# SPDX-License-Identifier: Apache-2.0
"""One concept a header: the median is at most 4 KiB, none is over 30 KiB."""
import statistics
import sys

import house

MEDIAN, LARGEST = 4 * 1024, 30 * 1024


def problems_of(root):
    sizes = {name: path.stat().st_size for name, path in house.headers(root).items()}
    problems = [f"{name} has {size} bytes: over {LARGEST}" for name, size in sizes.items() if size > LARGEST]
    if not sizes:
        return ["there are no headers"]
    median = statistics.median(sizes.values())
    if median > MEDIAN:
        problems.append(f"the median of {len(sizes)} headers is {median:.0f} bytes: over {MEDIAN}")
        problems += [f"  {size:6} {name}" for name, size in sorted(sizes.items(), key=lambda at: -at[1])]
    return problems


if __name__ == "__main__":
    sizes = [path.stat().st_size for path in house.headers(sys.argv[1]).values()]
    house.report("sizes", problems_of(sys.argv[1]),
                 f"{len(sizes)} headers, median {statistics.median(sizes or [0]):.0f}, largest {max(sizes or [0])} bytes")
