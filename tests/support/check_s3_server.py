# SPDX-License-Identifier: Apache-2.0
"""The server of the environment (ceph_rgw, swift_s3) is one: it keeps what it is given, refuses wrong signatures and regions it does not know,
and where it speaks TLS only those are fooled who do not look at certificates."""
import os
import pathlib
import ssl
import subprocess
import sys
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

SERVER = {name[8:].lower(): value for name, value in os.environ.items() if name.startswith("S3_TEST_")}
problems = []


def check(fits, text):
    if not fits:
        problems.append(text)
        print(f"FAILED: {text}", file=sys.stderr)


def client(endpoint, secret=None, verify=None):
    return boto3.client("s3", endpoint_url=endpoint, region_name=SERVER["region"], aws_access_key_id=SERVER["access_key"], verify=verify,
                        aws_secret_access_key=secret or SERVER["secret_key"],
                        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))


def refusal(action):
    """What the server says, or what is wrong with its certificate."""
    try:
        action()
    except ClientError as error:
        return error.response["Error"]["Code"]
    except SSLError:
        return "certificate"
    return "nothing"


def objects():
    s3 = client(SERVER["endpoint"])
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a key", Body=b"its bytes", Metadata={"color": "blue"})
    got = s3.get_object(Bucket="bucket", Key="a key")
    check(got["Body"].read() == b"its bytes" and got["Metadata"] == {"color": "blue"}, "an object comes back different")
    wrong = client(SERVER["endpoint"], secret="wrong")
    for what, code, action in (
            ("a wrong secret", "SignatureDoesNotMatch", lambda: wrong.list_buckets()),
            ("no such key", "NoSuchKey", lambda: s3.get_object(Bucket="bucket", Key="none")),
            ("no such bucket", "NoSuchBucket", lambda: s3.get_object(Bucket="no-bucket", Key="none")),
            ("a region that is not there", "InvalidLocationConstraint",
             lambda: s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "nowhere"}))):
        found = refusal(action)
        check(found == code, f"{what}: it says {found}")


def certificates():
    get = dict(Bucket="bucket", Key="a key")
    good = client(SERVER["tls_endpoint"], verify=SERVER["ca_file"])
    check(good.get_object(**get)["Body"].read() == b"its bytes", "TLS: an object comes back different")
    others = client(SERVER["wrong_name_endpoint"], verify=SERVER["ca_file"])
    check(refusal(lambda: others.get_object(**get)) == "certificate", "TLS: its certificate names any address")
    stranger = client(SERVER["tls_endpoint"], verify=ssl.get_default_verify_paths().openssl_cafile or True)
    check(refusal(lambda: stranger.get_object(**get)) == "certificate", "TLS: everybody trusts its authority")


def proxy_with_certificate(name, expected):
    """The fault proxy may speak TLS too, with any certificate."""
    folder = pathlib.Path(SERVER["certificates"])
    proxy = subprocess.Popen([SERVER["fault_proxy"], "--certificate", folder / f"{name}.pem", "--key", folder / "server.key", SERVER["endpoint"]],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        endpoint = dict(word.split("=") for word in proxy.stdout.readline().split())["endpoint"]
        check(urllib.parse.urlparse(endpoint).scheme == "https", f"the proxy has the endpoint {endpoint}")
        s3 = client(endpoint, verify=SERVER["ca_file"])
        found = refusal(lambda: s3.put_object(Bucket="bucket", Key="by proxy", Body=bytes(1_000_000)))
        check(found == expected, f"the proxy with {name}.pem: {found}")
        if expected == "nothing":
            print("arm answer code=SlowDown method=GET", file=proxy.stdin, flush=True)
            proxy.stdout.readline()
            found = refusal(lambda: s3.get_object(Bucket="bucket", Key="by proxy"))
            check(found == "SlowDown", f"the proxy over TLS was to say SlowDown: {found}")
            check(s3.get_object(Bucket="bucket", Key="by proxy")["Body"].read() == bytes(1_000_000), "the proxy over TLS: other bytes")
    finally:
        proxy.stdin.close()
        proxy.wait()
        proxy.stdout.close()


def main():
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ.pop(name, None)
    objects()
    if SERVER["tls_endpoint"]:
        certificates()
        proxy_with_certificate("server", "nothing")
        proxy_with_certificate("expired", "certificate")
    print(f"{SERVER['server']}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
