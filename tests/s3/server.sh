#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cases that need an S3 server, tagged [.server], with a real one.
tests=$1/tests/test_s3
[ -x "$tests" ] || { echo "skipped: there is no $tests"; exit 77; }
[ -n "$("$tests" --list-test-names-only '[server]')" ] || { echo "skipped: no case needs a server"; exit 77; }
exec "$(dirname "$0")/../support/ceph_rgw" run "$tests" --warn NoTests '[server]'
