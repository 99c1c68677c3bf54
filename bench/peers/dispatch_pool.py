#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No-op calls per second of Python's own pool of processes, one task a call, once its processes run.
    dispatch_pool.py [--calls N] [--workers N]
Prints a line of JSON."""
import argparse
import concurrent.futures
import json
import os
import time


def nothing(x):
    return x


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--calls", type=int, default=20_000)
    arguments.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = arguments.parse_args()
    with concurrent.futures.ProcessPoolExecutor(given.workers) as pool:
        list(pool.map(nothing, range(given.calls // 10), chunksize=1))
        begin = time.perf_counter()
        values = list(pool.map(nothing, range(given.calls), chunksize=1))
        rate = given.calls / (time.perf_counter() - begin)
    assert values == list(range(given.calls)), "wrong results"
    print(json.dumps({"bench": "dispatch_pool", "metric": "noop_calls_per_s", "value": rate, "unit": "calls/s"}))


if __name__ == "__main__":
    main()
