#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The work of bench/flops as Lithops does it: products of matrices by numpy, one call of a map each, on the backend of Lithops' configuration
(or its own processes on this machine).
    flops_lithops.py [--backend NAME] [--storage NAME] [--memory MB] [--tasks N] [--loopcount N] [--matn N] [--precision double|float]
Needs lithops and numpy. Prints lines of JSON: total_gflops is all work over the time from the map to its last result, as bench/flops and Lithops'
own benchmark count it."""
import argparse
import json
import os
import statistics
import time

import lithops


def work(loopcount, matn, precision):
    import numpy
    row, column = numpy.indices((matn, matn))
    a = ((row + 2 * column) % 7).astype(precision)
    b = ((3 * row + column) % 5).astype(precision)
    begin = time.perf_counter()
    for _ in range(loopcount):
        c = numpy.dot(a, b)
    seconds = time.perf_counter() - begin
    assert c[0].sum(dtype=float) == a[0].astype(float) @ b.sum(axis=1, dtype=float), "a product is wrong"
    return seconds


def report(metric, value, unit):
    print(json.dumps({"bench": "flops_lithops", "metric": metric, "value": value, "unit": unit}), flush=True)


def main():
    arguments = argparse.ArgumentParser()
    for name, otherwise in (("tasks", 100), ("loopcount", 6), ("matn", 1024), ("memory", 1024)):
        arguments.add_argument("--" + name, type=int, default=otherwise)
    arguments.add_argument("--precision", choices=("double", "float"), default="double")
    for name in ("backend", "storage"):
        arguments.add_argument("--" + name)
    given = arguments.parse_args()
    precision = "float64" if given.precision == "double" else "float32"
    one_thread = {v: "1" for v in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(one_thread)  # for backends that start processes of this one
    where = {"backend": given.backend, "storage": given.storage}
    if not given.backend and not os.path.exists(os.environ.get("LITHOPS_CONFIG_FILE", os.path.expanduser("~/.lithops/config"))):
        where = {"config": {"lithops": {"backend": "localhost", "storage": "localhost"}}}
    executor = lithops.FunctionExecutor(runtime_memory=given.memory, log_level="WARNING", **where)
    begin = time.perf_counter()
    executor.map(work, [(given.loopcount, given.matn, precision)] * given.tasks, extra_env=one_thread)
    seconds = executor.get_result()
    wall = time.perf_counter() - begin
    flop = 2 * given.matn**3 * given.loopcount
    report("total_gflops", flop * given.tasks / wall / 1e9, "GFLOPS")
    report("call_gflops", statistics.median(flop / each / 1e9 for each in seconds), "GFLOPS")


if __name__ == "__main__":
    main()
