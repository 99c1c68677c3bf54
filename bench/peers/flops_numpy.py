#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The work of bench/flops as numpy and multiprocessing do it: products of matrices by OpenBLAS (or what numpy was built with), one thread a
process, mapped over a pool of processes that are warm.
    flops_numpy.py [--tasks N] [--loopcount N] [--matn N] [--precision double|float] [--workers N]
Prints lines of JSON."""
import argparse
import json
import multiprocessing
import os
import resource
import statistics
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded: afterwards nothing reads them
import numpy


def prepare(matn, loopcount, precision, all_there):
    """In each process: matrices that are made once and used by all its calls, as bench/flops does it."""
    global a, b, c, loops, barrier
    row, column = numpy.indices((matn, matn))
    a = ((row + 2 * column) % 7).astype(precision)
    b = ((3 * row + column) % 5).astype(precision)
    c = numpy.zeros((matn, matn), precision)
    loops, barrier = loopcount, all_there
    numpy.dot(a, b, out=c)


def wait(_):
    barrier.wait()


def work(_):
    user = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    begin = time.perf_counter()
    for _ in range(loops):
        numpy.dot(a, b, out=c)
    seconds = time.perf_counter() - begin
    for i in (0, len(c) // 2, len(c) - 1):
        assert c[i].sum(dtype=float) == a[i].astype(float) @ b.sum(axis=1, dtype=float), "a product is wrong"
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_utime - user


def report(metric, value, unit):
    print(json.dumps({"bench": "flops_numpy", "metric": metric, "value": value, "unit": unit}), flush=True)


def main():
    arguments = argparse.ArgumentParser()
    for name, otherwise in (("tasks", 100), ("loopcount", 6), ("matn", 1024), ("workers", len(os.sched_getaffinity(0)))):
        arguments.add_argument("--" + name, type=int, default=otherwise)
    arguments.add_argument("--precision", choices=("double", "float"), default="double")
    given = arguments.parse_args()
    precision = numpy.float64 if given.precision == "double" else numpy.float32
    barrier = multiprocessing.Barrier(given.workers)
    with multiprocessing.Pool(given.workers, prepare, (given.matn, given.loopcount, precision, barrier)) as pool:
        pool.map(wait, range(given.workers), chunksize=1)
        begin = time.perf_counter()
        calls = pool.map(work, range(given.tasks), chunksize=1)
        wall = time.perf_counter() - begin
    flop = 2 * given.matn**3 * given.loopcount
    report("total_gflops", flop * given.tasks / wall / 1e9, "GFLOPS")
    report("call_gflops", statistics.median(flop / seconds / 1e9 for seconds, _ in calls), "GFLOPS")
    report("cpu_utilisation", sum(user for _, user in calls) / (given.workers * wall), "fraction")


if __name__ == "__main__":
    main()
