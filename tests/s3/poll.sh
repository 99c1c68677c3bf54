#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cases that need an S3 server again, without io_uring.
tests=$1/tests/test_s3
[ -x "$tests" ] || { echo "skipped: there is no $tests"; exit 77; }
[ -n "$("$tests" --list-test-names-only '[server],[faults]')" ] || { echo "skipped: no case needs a server"; exit 77; }
export COROLITH_IO=poll COROLITH_S3_FAULT_MIB=64
exec "$(dirname "$0")/../support/ceph_rgw" run "$tests" --warn NoTests '[server],[faults]'
