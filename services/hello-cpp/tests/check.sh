#!/bin/sh
# check.sh SCRATCH COMMAND...: runs the program in every way a user can and compares what it says.
set -eu

scratch=$1
shift
expected=$(dirname "$0")/expected.txt
failures=0

fail() {
    echo "check: $*" >&2
    failures=$((failures + 1))
}

# The program's own status would be lost in a pipe.
expect_same_output() {
    status=0
    "$@" >"$scratch/output" || status=$?
    [ "$status" -eq 0 ] || fail "'$*' ended with $status instead of 0"
    diff -u "$expected" "$scratch/output" >&2 || fail "'$*' said something else"
}

expect_usage_error() {
    status=0
    "$@" >"$scratch/output" 2>"$scratch/error" || status=$?
    [ "$status" -eq 2 ] || fail "'$*' ended with $status instead of 2"
    [ ! -s "$scratch/output" ] || fail "'$*' wrote to stdout"
    grep -q '^usage: ' "$scratch/error" || fail "'$*' did not say how it is used"
}

expect_lost_output_noticed() {
    [ -w /dev/full ] || return 0
    status=0
    "$@" >/dev/full 2>"$scratch/error" || status=$?
    [ "$status" -eq 1 ] || fail "'$*' ended with $status instead of 1 on a full device"
}

expect_same_output "$@"
for threads in 1 3 64; do
    expect_same_output "$@" "$threads"
done
for threads in 0 65 -1 four '' 4x; do
    expect_usage_error "$@" "$threads"
done
expect_usage_error "$@" 4 4
expect_lost_output_noticed "$@"

[ "$failures" -eq 0 ] || exit 1
echo "check: ok"
