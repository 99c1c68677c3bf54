# SPDX-License-Identifier: Apache-2.0
"""crosswise.py TOOL: on the server of the environment (tests/support/ceph_rgw), what awscli, boto3, rclone and s3cmd write the tool reads, and
the reverse: bytes, keys, sizes, content type and user metadata. The tool is tests/s3/programs/s3_tool."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

MIB = 1 << 20
ENDPOINT, ACCESS, SECRET, REGION = (os.environ[f"S3_TEST_{name}"] for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "REGION"))
TYPE, METADATA = "text/x-corolith", {"color": "deep blue", "shape": "round"}
# The sizes: none, small, and more than a part of each client.
SIZES = {"empty": 0, "one": 1, "plain.txt": 100_000, "with space+plus%41percent": 1000, "sub/k\u00f6nig/\u65e5\u672c.dat": 5000,
         "sub/(a)'b'~c!d*e@f,g;h:i=j&k$l": 777, "large.bin": 17 * MIB + 1}
problems = []


def check(fits, text):
    if not fits:
        problems.append(text)
        print(f"FAILED: {text}", file=sys.stderr)


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stdout[-500:]!r} {done.stderr[-1500:]!r}")
    return done.stdout


def make(folder, seed):
    """The files to be written; no two of them alike."""
    dice = random.Random(seed)
    for name, size in SIZES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dice.randbytes(size))


class Tool:
    name = "corolith"

    def __init__(self, program):
        self.program = program

    def write(self, source, bucket, prefix):
        for name in SIZES:
            run(self.program, "put", bucket, prefix + name, source / name, f"content_type={TYPE}", *(f"meta.{k}={v}" for k, v in METADATA.items()))

    def read(self, bucket, prefix, target):
        for name in SIZES:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            run(self.program, "get", bucket, prefix + name, target / name)

    def listed(self, bucket, prefix):
        lines = (line.split(" ", 1) for line in run(self.program, "list", bucket, prefix).decode().splitlines())
        return {key: int(size) for size, key in lines}

    def head(self, bucket, key):
        lines = dict(line.split("=", 1) for line in run(self.program, "head", bucket, key).decode().splitlines())
        return lines["content_type"], {name[5:]: value for name, value in lines.items() if name.startswith("meta.")}


class Boto3:
    name = "boto3"

    def __init__(self):
        self.client = boto3.client("s3", endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
                                   config=Config(s3={"addressing_style": "path"}))

    def write(self, source, bucket, prefix):
        parts = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)
        for name in SIZES:
            self.client.upload_file(str(source / name), bucket, prefix + name, ExtraArgs={"ContentType": TYPE, "Metadata": METADATA}, Config=parts)

    def read(self, bucket, prefix, target):
        for name in SIZES:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            self.client.download_file(bucket, prefix + name, str(target / name))

    def listed(self, bucket, prefix):
        found = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {entry["Key"]: entry["Size"] for entry in found}

    def head(self, bucket, key):
        found = self.client.head_object(Bucket=bucket, Key=key)
        return found["ContentType"], found["Metadata"]


class Awscli:
    name = "awscli"

    @staticmethod
    def aws(*command):
        return run("/usr/bin/aws", "--endpoint-url", ENDPOINT, *command)

    def write(self, source, bucket, prefix):
        self.aws("s3", "cp", "--recursive", "--quiet", source, f"s3://{bucket}/{prefix}", "--content-type", TYPE, "--metadata", json.dumps(METADATA))

    def read(self, bucket, prefix, target):
        self.aws("s3", "cp", "--recursive", "--quiet", f"s3://{bucket}/{prefix}", target)

    def listed(self, bucket, prefix):
        found = json.loads(self.aws("s3api", "list-objects-v2", "--bucket", bucket, "--prefix", prefix, "--output", "json"))
        return {entry["Key"]: entry["Size"] for entry in found["Contents"]}

    def head(self, bucket, key):
        found = json.loads(self.aws("s3api", "head-object", "--bucket", bucket, "--key", key, "--output", "json"))
        return found["ContentType"], found["Metadata"]


class Rclone:
    name = "rclone"

    def write(self, source, bucket, prefix):
        headers = [f"--header-upload=Content-Type: {TYPE}", *(f"--header-upload=x-amz-meta-{name}: {value}" for name, value in METADATA.items())]
        run("/usr/bin/rclone", "copy", source, f":s3:{bucket}/{prefix}", "--s3-upload-cutoff=8M", "--s3-chunk-size=8M", *headers)

    def read(self, bucket, prefix, target):
        run("/usr/bin/rclone", "copy", f":s3:{bucket}/{prefix}", target)

    def listed(self, bucket, prefix):
        found = json.loads(run("/usr/bin/rclone", "lsjson", "--recursive", "--files-only", f":s3:{bucket}/{prefix}"))
        return {prefix + entry["Path"]: entry["Size"] for entry in found}

    def head(self, bucket, key):
        found = json.loads(run("/usr/bin/rclone", "lsjson", "--stat", "--metadata", f":s3:{bucket}/{key}"))
        return found["MimeType"], {name: found["Metadata"].get(name) for name in METADATA}


class S3cmd:
    name = "s3cmd"

    def __init__(self, scratch):
        self.configuration = scratch / "s3cfg"
        place = ENDPOINT.partition("://")[2]
        self.configuration.write_text(f"[default]\naccess_key = {ACCESS}\nsecret_key = {SECRET}\nhost_base = {place}\nhost_bucket = {place}\n"
                                      "use_https = False\nmultipart_chunk_size_mb = 8\npreserve_attrs = False\n")

    def s3cmd(self, *command):
        return run("/usr/bin/s3cmd", "-c", self.configuration, "--quiet", *command)

    def write(self, source, bucket, prefix):
        headers = [f"--add-header=x-amz-meta-{name}:{value}" for name, value in METADATA.items()]
        self.s3cmd("put", "--recursive", "--no-guess-mime-type", f"--mime-type={TYPE}", *headers, f"{source}/", f"s3://{bucket}/{prefix}")

    def read(self, bucket, prefix, target):
        self.s3cmd("get", "--recursive", "--force", f"s3://{bucket}/{prefix}", f"{target}/")

    def listed(self, bucket, prefix):
        lines = run("/usr/bin/s3cmd", "-c", self.configuration, "ls", "--recursive", f"s3://{bucket}/{prefix}").decode().splitlines()
        fields = (line.split(None, 3) for line in lines)
        return {place[len(f"s3://{bucket}/"):]: int(size) for _day, _time, size, place in fields}

    def head(self, bucket, key):
        text = run("/usr/bin/s3cmd", "-c", self.configuration, "info", f"s3://{bucket}/{key}").decode()
        fields = dict(line.strip().split(":", 1) for line in text.splitlines() if ":" in line)
        return fields["MIME type"].strip(), {name: fields.get(f"x-amz-meta-{name}", "").strip() for name in METADATA}


def compare(writer, reader, source, scratch, bucket):
    what, prefix = f"what {writer.name} wrote and {reader.name} reads", f"{writer.name}/"
    target = scratch / f"{writer.name}-{reader.name}"
    target.mkdir()
    listed = reader.listed(bucket, prefix)
    check(listed == {prefix + name: size for name, size in SIZES.items()}, f"{what}: the listing is {listed}")
    reader.read(bucket, prefix, target)
    for name in SIZES:
        check((target / name).is_file() and (target / name).read_bytes() == (source / name).read_bytes(), f"{what}: {name} has other bytes")
    for name in ("plain.txt", "large.bin"):  # small and in parts
        kind, metadata = reader.head(bucket, prefix + name)
        check(kind == TYPE, f"{what}: {name} has the content type {kind}")
        check({key: metadata.get(key) for key in METADATA} == METADATA, f"{what}: {name} has the metadata {metadata}")


def main():
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HTTP_PROXY", "http_proxy"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        os.environ.update(HOME=folder, LC_ALL="C.UTF-8", AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION=REGION, AWS_EC2_METADATA_DISABLED="true",
                          RCLONE_CONFIG=os.devnull, RCLONE_S3_PROVIDER="Other", RCLONE_S3_ENDPOINT=ENDPOINT, RCLONE_S3_ACCESS_KEY_ID=ACCESS,
                          RCLONE_S3_SECRET_ACCESS_KEY=SECRET, RCLONE_S3_REGION=REGION, RCLONE_S3_FORCE_PATH_STYLE="true")
        ours, others, bucket = Tool(sys.argv[1]), [Boto3(), Awscli(), Rclone(), S3cmd(scratch)], "crosswise"
        others[0].client.create_bucket(Bucket=bucket)
        for seed, writer in enumerate([ours, *others]):
            began = time.monotonic()
            source = scratch / writer.name
            source.mkdir()
            make(source, seed)
            writer.write(source, bucket, f"{writer.name}/")
            for reader in others if writer is ours else [ours]:
                compare(writer, reader, source, scratch, bucket)
            print(f"{writer.name}: written and read in {time.monotonic() - began:.1f} s")
        left = others[0].client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        check(not left, f"uploads are left: {[upload['Key'] for upload in left]}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
