#!/bin/sh
# conformance.sh DIR   judges us by the sets in DIR (one folder each): a table of
# set, cases, agreed, disagreed; every disagreement is printed above it.
set -u
dir=$1
table=$(mktemp) out=$(mktemp)
trap 'rm -f "$table" "$out"' EXIT
failed=0
for program in build/release/tests/conformance/*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    timeout -k 5 900 "$program" "$dir" >"$out" 2>&1 || failed=$((failed + 1))
    sed '$d' "$out" | tail -n 40
    tail -n 1 "$out" | grep -P '^\S+\t\d+\t\d+\t\d+$' >>"$table" || { tail -n 3 "$out"; printf '%s\t0\t0\t1\n' "${program##*/}" >>"$table"; }
done
# A disagreement that its program explains does not fail.
awk -F'\t' 'BEGIN { printf "%-16s %8s %8s %10s\n", "set", "cases", "agreed", "disagreed" }
    { printf "%-16s %8d %8d %10d\n", $1, $2, $3, $4; c += $2; a += $3; d += $4 }
    END { printf "%-16s %8d %8d %10d\n", "all", c, a, d }' "$table"
awk -F'\t' -v failed="$failed" '{ a += $3; d += $4 } END { printf "%d passed, %d failed\n", a, (failed > 0 ? (d > 0 ? d : failed) : 0) }' "$table"
[ "$failed" -eq 0 ]
