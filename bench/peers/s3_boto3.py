#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The work of bench/s3 as boto3 does it: a pool of threads, one client, parts of 8 MiB.
    s3_boto3.py ENDPOINT BUCKET      with the credentials in the environment
Answers lines of standard input with the seconds and the processor seconds that they took; the first line that it prints says that it is ready.
    put|get PREFIX REQUESTS KEYS BYTES CONNECTIONS      small objects, from and into memory
    put_files|get_files PREFIX FILES CONNECTIONS FOLDER
"""
import itertools
import os
import sys
import threading
import time

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

PART = 8 << 20
endpoint, bucket = sys.argv[1:]
client = boto3.client("s3", endpoint_url=endpoint, config=Config(
    signature_version="s3v4", max_pool_connections=100, s3={"addressing_style": "path"}))


def put_and_get(verb, prefix, requests, keys, size, connections):
    body = os.urandom(int(size))
    keys = int(keys)

    def put(i):
        client.put_object(Bucket=bucket, Key=f"{prefix}{i % keys}", Body=body)

    def get(i):
        if len(client.get_object(Bucket=bucket, Key=f"{prefix}{i % keys}")["Body"].read()) != len(body):
            raise ValueError("an object is shorter than was asked for")

    return put if verb == "put" else get, int(requests), int(connections)


def put_and_get_files(verb, prefix, files, connections, folder):
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=int(connections))

    def put(i):
        client.upload_file(f"{folder}/{i}", bucket, f"{prefix}{i}", Config=config)

    def get(i):
        client.download_file(bucket, f"{prefix}{i}", f"{folder}/{i}", Config=config)

    # Each transfer has threads of its own; two hide each other's beginning and end.
    return put if verb.startswith("put") else get, int(files), 2


def run(one, count, threads):
    numbers, failures = itertools.count(), []

    def work():
        try:
            while (i := next(numbers)) < count:
                one(i)
        except Exception as failure:
            failures.append(failure)

    all_threads = [threading.Thread(target=work) for _ in range(threads)]
    for each in all_threads:
        each.start()
    for each in all_threads:
        each.join()
    if failures:
        raise failures[0]


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        verb, *given = line.split()
        what = (put_and_get_files if verb.endswith("files") else put_and_get)(verb, *given)
        begin, used = time.perf_counter(), time.process_time()
        run(*what)
        print(f"{time.perf_counter() - begin:.9f} {time.process_time() - used:.9f}", flush=True)


if __name__ == "__main__":
    main()
