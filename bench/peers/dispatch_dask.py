#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No-op calls per second of Dask distributed on this machine, one task a call, once its workers run.
    dispatch_dask.py [--calls N] [--workers N]
Prints a line of JSON."""
import argparse
import json
import os
import time

import distributed


def nothing(x):
    return x


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--calls", type=int, default=2_000)
    arguments.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = arguments.parse_args()
    cluster = distributed.LocalCluster(n_workers=given.workers, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        client.gather(client.map(nothing, range(given.calls // 10), pure=False))
        begin = time.perf_counter()
        values = client.gather(client.map(nothing, range(given.calls), pure=False))
        rate = given.calls / (time.perf_counter() - begin)
    assert values == list(range(given.calls)), "wrong results"
    print(json.dumps({"bench": "dispatch_dask", "metric": "noop_calls_per_s", "value": rate, "unit": "calls/s"}))


if __name__ == "__main__":
    main()
