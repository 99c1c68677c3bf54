#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line of stores, over a directory: what goes in comes out, what fails says why and leaves nothing.
program=$(realpath "$1")/tools/corolith
[ -x "$program" ] || { echo "skipped: there is no $program"; exit 77; }
for variable in $(compgen -e COROLITH_) $(compgen -e AWS_); do unset "$variable"; done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source "$(dirname "$0")/cli.bash"
cd "$scratch" || exit 1
store=$scratch/store
cli_cases

# What only a directory does.
expect 0 put files/a.txt "posix://$store/url/"
same files/a.txt "$store/url/a.txt"
expect 0 ls .
out_has 'files/'
expect 2 ls /
err_has 'root of the file system'
expect 1 ls "$scratch/nowhere/"
err_has 'nowhere'
expect 2 mb "$store"
err_has 's3://'
expect 2 rb s3://bucket/key
err_has 'more than a bucket'
expect 2 presign "$store/url/a.txt"
err_has 's3://'
ln -s .. files/sub/circle
mkfifo files/pipe
expect 1 put -r files "$store/odd"
err_has 'circle/: a link to a folder'
err_has 'pipe: it is no file'
same files/sub/b.bin "$store/odd/sub/b.bin"
cli_done
