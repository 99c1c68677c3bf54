#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cases that run on every store, over a bucket of a real server.
tests=$1/tests/test_storage
[ -x "$tests" ] || { echo "skipped: there is no $tests"; exit 77; }
exec "$(dirname "$0")/../support/ceph_rgw" run "$tests" --warn NoTests '[server]'
