#!/bin/sh
# run_programs.sh PROGRAM...   runs test programs one after another; shows the output
# of those that fail.  The last line counts programs and, as cmocka printed them,
# tests.  With KEEP_TALLY=FILE a line "passed failed" is added there: tests where
# the program counts them, else the program.  One that hangs is ended after 10 minutes.
set -u
passed=0 failed=0 tests=0 bad=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for program in "$@"; do
    start=$(date +%s%N)
    if timeout -k 5 600 "$program" >"$out" 2>&1; then
        passed=$((passed + 1)) word=ok
    else
        failed=$((failed + 1)) word=FAILED
        cat "$out"
    fi
    n=$(grep -c '^\[       OK \]' "$out")
    f=$(grep -c '^\[  FAILED  \] [a-z0-9_]*$' "$out")
    if [ "$word" = ok ]; then
        [ "$n" -gt 0 ] && tests=$((tests + n)) || tests=$((tests + 1))
    else
        tests=$((tests + n))
        # cmocka names each one that fails twice: where it ran and in the summary
        [ "$f" -gt 1 ] && bad=$((bad + f / 2)) || bad=$((bad + 1))
    fi
    printf '%-8s %-40s %4d tests %6d ms\n' "$word" "${program#build/}" "$n" $((($(date +%s%N) - start) / 1000000))
done
printf 'programs: %d ok, %d failed, %d tests\n' "$passed" "$failed" "$tests"
[ -z "${KEEP_TALLY:-}" ] || echo "$tests $bad" >>"$KEEP_TALLY"
[ "$failed" -eq 0 ]
