#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line of stores, over buckets of a real server; what it shares with directories is in cli.bash.
program=$(realpath "$1")/tools/corolith
[ -x "$program" ] || { echo "skipped: there is no $program"; exit 77; }
[ -n "${S3_TEST_ENDPOINT:-}" ] || exec "$(dirname "$0")/../support/ceph_rgw" run bash "$0" "$@"
for variable in $(compgen -e COROLITH_) $(compgen -e AWS_); do unset "$variable"; done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source "$(dirname "$0")/cli.bash"
cd "$scratch" || exit 1

# Credentials and a server's address, as users have them; not those of whoever runs this.
export AWS_CONFIG_FILE=$scratch/config AWS_SHARED_CREDENTIALS_FILE=$scratch/credentials AWS_EC2_METADATA_DISABLED=true
expect 1 ls s3://bucket/ --endpoint "$S3_TEST_ENDPOINT"
err_has 'AWS_ACCESS_KEY_ID'
printf '[test]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$S3_TEST_ACCESS_KEY" "$S3_TEST_SECRET_KEY" >"$AWS_SHARED_CREDENTIALS_FILE"
expect 0 mb s3://first-bucket --endpoint "$S3_TEST_ENDPOINT" --region "$S3_TEST_REGION" --profile test
expect 0 ls s3:// "--endpoint=$S3_TEST_ENDPOINT" --profile test
out_has ' first-bucket$'
export AWS_ACCESS_KEY_ID=$S3_TEST_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_TEST_SECRET_KEY AWS_REGION=$S3_TEST_REGION
export AWS_ENDPOINT_URL=$S3_TEST_ENDPOINT
store=s3://first-bucket/a/prefix
cli_cases

# Buckets.
expect 0 mb s3://second-bucket
expect 0 ls --json s3://
out_has '"bucket":"second-bucket","created":"20'
expect 1 ls s3://no-such-bucket/
err_has 'no-such-bucket'
expect 0 cp "$store/typed" s3://second-bucket/typed
expect 0 cat s3://second-bucket/typed
out_is hello
expect 0 cp -r "$store/again" s3://second-bucket
expect 0 get -r s3://second-bucket whole
same files/sub/b.bin whole/sub/b.bin
expect 1 rb s3://second-bucket
err_has 'second-bucket.*BucketNotEmpty'
expect 2 rb s3://second-bucket/again
expect 0 rb --force s3://second-bucket
expect 0 ls s3://
out_lacks second-bucket

# URLs for others.
expect 0 presign "$store/typed" --expires 5min
[ "$(curl -s "$(cat out)")" = hello ] || fail "$said: the URL does not give the object"
expect 0 presign --method PUT "$store/put by others"
curl -s -T files/sub/deep/c.txt "$(cat out)" || fail "$said: curl: status $?"
expect 0 cat "$store/put by others"
same files/sub/deep/c.txt out
expect 2 presign s3://first-bucket
expect 2 presign --expires 8000h "$store/typed"
err_has 'seven days'

# Keys that have no place in a folder.
for key in ../outside a//b; do "$program" store put files/a.txt "s3://first-bucket/odd/$key" || fail "put $key: status $?"; done
expect 0 put files/a.txt s3://first-bucket/odd/fine
expect 1 get -r s3://first-bucket/odd odd
err_has "'\.\./outside' has no place below"
err_has "'a//b' has no place below"
same files/a.txt odd/fine
not_there outside

# TLS, with the test's own authority and without.
unset AWS_ENDPOINT_URL
expect 0 cat "s3://first-bucket/odd/fine?endpoint=$S3_TEST_TLS_ENDPOINT" --ca-file "$S3_TEST_CA_FILE"
out_is hello
expect 1 cat s3://first-bucket/odd/fine --endpoint "$S3_TEST_TLS_ENDPOINT"
err_has certificate
expect 0 cat s3://first-bucket/odd/fine --endpoint "$S3_TEST_TLS_ENDPOINT" --insecure
out_is hello
expect 1 cat s3://first-bucket/odd/fine --endpoint "$S3_TEST_WRONG_NAME_ENDPOINT" --ca-file "$S3_TEST_CA_FILE"
err_has certificate
export AWS_SECRET_ACCESS_KEY=wrong-secret
expect 1 ls s3://first-bucket/ --endpoint "$S3_TEST_ENDPOINT"
err_has 'SignatureDoesNotMatch'
grep -q wrong-secret err && fail "$said: it repeats a secret"
cli_done
