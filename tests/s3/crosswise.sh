#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What other S3 clients write we read, and the reverse, on a real server.
tool=$1/tests/s3/programs/s3_tool
[ -x "$tool" ] || { echo "skipped: there is no $tool"; exit 77; }
support=$(dirname "$0")/../support
for command in aws s3cmd rclone; do
  [ -x /usr/bin/$command ] || { echo "skipped: there is no /usr/bin/$command (tools/setup s3 installs it)"; exit 77; }
done
# Debian's python3 and no other has Debian's boto3.
/usr/bin/python3 -c 'import boto3' 2>/dev/null || { echo "skipped: there is no boto3 (tools/setup s3 installs it)"; exit 77; }
exec "$support/ceph_rgw" run /usr/bin/python3 -B "$support/crosswise.py" "$tool"
