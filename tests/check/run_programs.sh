#!/bin/sh
# Runs test programs one after another; shows the output of those that fail.
# The last line counts programs and, as cmocka printed them, tests.
set -u
passed=0 failed=0 tests=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for program in "$@"; do
    start=$(date +%s%N)
    if "$program" >"$out" 2>&1; then
        passed=$((passed + 1)); word=ok
    else
        failed=$((failed + 1)); word=FAILED
        cat "$out"
    fi
    n=$(grep -c '^\[       OK \]' "$out")
    tests=$((tests + n))
    printf '%-8s %-40s %4d tests %6d ms\n' "$word" "${program#build/}" "$n" $((($(date +%s%N) - start) / 1000000))
done
printf 'programs: %d ok, %d failed, %d tests\n' "$passed" "$failed" "$tests"
[ "$failed" -eq 0 ]
