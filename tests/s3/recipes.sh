#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The scripts that start real S3 servers start some, two of a kind at once, and leave nothing behind however they end.
support=$(realpath "$(dirname "$0")/../support")
# Debian's python3 and no other has Debian's boto3.
/usr/bin/python3 -c 'import boto3' 2>/dev/null || { echo "skipped: there is no boto3 (tools/setup s3 installs it)"; exit 77; }
export TMPDIR
TMPDIR=$(mktemp -d)
trap 'rm -rf "$TMPDIR"' EXIT
failed=0
fail() { echo "FAILED: $*" >&2; failed=1; }
# Daemons have their folder in their command line; so had grep, but for the brackets.
left() { grep -lsE "${TMPDIR%?}[${TMPDIR: -1}]" /proc/[0-9]*/cmdline; }
nothing_left() {
  local tenths=100
  while [ -n "$(left)" ]; do
    [ $((tenths -= 1)) -ge 0 ] || { fail "$1: still there: $(left | xargs)"; return; }
    sleep 0.1
  done
}

"$support/ceph_rgw" run /usr/bin/python3 -B "$support/check_s3_server.py" &
first=$!
"$support/ceph_rgw" run threads=16 sh -c 'exit 23'
[ $? = 23 ] || fail "the status of the command is lost"
wait $first || fail "Ceph: status $?"
"$support/swift_s3" run /usr/bin/python3 -B "$support/check_s3_server.py" || fail "Swift: status $?"
nothing_left "servers that were stopped"
[ -z "$(ls -A "$TMPDIR")" ] || fail "files are left: $(ls "$TMPDIR")"

"$support/ceph_rgw" run sh -c 'touch "$TMPDIR/up"; exec sleep 300' &
killed=$!
for _ in $(seq 600); do [ -e "$TMPDIR/up" ] && break; sleep 0.1; done
[ -n "$(left)" ] || fail "there is no server to be killed"
kill -KILL $killed
nothing_left "servers whose script was killed"
exit $failed
