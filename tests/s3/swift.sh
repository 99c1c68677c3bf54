#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cases that need an S3 server and not just Ceph's, with Swift.
tests=$1/tests/test_s3
[ -x "$tests" ] || { echo "skipped: there is no $tests"; exit 77; }
[ -n "$("$tests" --list-test-names-only '[server]~[ceph]')" ] || { echo "skipped: no case needs a server"; exit 77; }
exec "$(dirname "$0")/../support/swift_s3" run "$tests" --warn NoTests '[server]~[ceph]'
