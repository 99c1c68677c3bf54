#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs whose store is a bucket of a real server: the cases of test_run that need one, and examples on local workers.
build=$1
for needed in tests/test_run examples/word_count examples/put_get tools/corolith; do
  [ -x "$build/$needed" ] || { echo "skipped: there is no $build/$needed"; exit 77; }
done
[ -n "${S3_TEST_ENDPOINT:-}" ] || exec "$(dirname "$0")/../support/ceph_rgw" run bash "$0" "$@"
"$build/tests/test_run" --warn NoTests '[server]' || exit

source "$(dirname "$0")/../integration/library.bash"
export AWS_ACCESS_KEY_ID=$S3_TEST_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_TEST_SECRET_KEY AWS_REGION=$S3_TEST_REGION
export AWS_ENDPOINT_URL=$S3_TEST_ENDPOINT
corolith=$build/tools/corolith
left_in_bucket() { "$corolith" store ls -r --json "s3://runs/$1" 2>&1; }
"$corolith" store mb s3://runs || fail "mb: status $?"
mkdir "$scratch/texts"
for i in 1 2 3 4 5; do seq $((i * 40000)) | paste -sd '   \n' >"$scratch/texts/text $i"; done
words=$(cat "$scratch"/texts/* | LC_ALL=C wc -w)
"$corolith" store put -r "$scratch/texts" s3://runs/corpus || fail "put: status $?"

run "$examples/word_count" --agents 2 --slots 1 s3://runs/corpus
expect_status 0 word_count
expect_out "^$words words in 5 objects\$" word_count
expect_nothing_left word_count
run "$examples/put_get" --store s3://runs/greetings
expect_status 0 put_get
expect_out '^bytes 1 to 2: ol$' put_get
run "$examples/map_over_objects" --store s3://runs/mapped 3 5
expect_status 0 map_over_objects
expect_out '^3 objects, 0 of them wrong$' map_over_objects
run "$examples/stream_object" --store s3://runs/streamed 9
expect_status 0 stream_object
run "$examples/cloud_object" --store s3://runs/cloud
expect_status 0 cloud_object
for prefix in greetings mapped streamed cloud .corolith; do
  [ -z "$(left_in_bucket "$prefix/")" ] || fail "there are objects left: $(left_in_bucket "$prefix/")"
done
# What the examples keep for themselves lies below .corolith of their own prefix.
[ -z "$("$corolith" store ls -r --json s3://runs/cloud/.corolith/)" ] || fail "temporary objects are left"

run "$examples/presigned_url" s3://runs/by-others 5
expect_status 0 presigned_url
curl -s -T "$scratch/texts/text 1" "$(sed -n 's/^PUT //p' "$scratch/out")" || fail "curl: status $?"
curl -s "$(sed -n 's/^GET //p' "$scratch/out")" | cmp -s - "$scratch/texts/text 1" || fail "presigned_url: what comes back is not what was put"

# A run on TCP, whose workers have the credentials from their driver alone.
run "$examples/word_count" --listen tcp:127.0.0.1:0 --store s3://runs s3://runs/corpus
expect_status 0 "word_count over TCP"
expect_out "^$words words in 5 objects\$" "word_count over TCP"
unset AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID
export AWS_SHARED_CREDENTIALS_FILE=$scratch/none AWS_CONFIG_FILE=$scratch/none
run "$examples/word_count" s3://runs/corpus
expect_status 1 "word_count without credentials"
expect_err 'AWS_ACCESS_KEY_ID' "word_count without credentials"
expect_nothing_left "word_count without credentials"
done_testing
