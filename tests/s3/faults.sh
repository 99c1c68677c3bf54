#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cases that break what passes between client and server, tagged [.faults], with a real server. The second argument says how many MiB
# pass under random faults: 256 where it is missing.
tests=$1/tests/test_s3
[ -x "$tests" ] || { echo "skipped: there is no $tests"; exit 77; }
[ -n "$("$tests" --list-test-names-only '[faults]')" ] || { echo "skipped: no case needs faults"; exit 77; }
[ -z "${2:-}" ] || export COROLITH_S3_FAULT_MIB="$2"
exec "$(dirname "$0")/../support/ceph_rgw" run "$tests" --warn NoTests '[faults]'
