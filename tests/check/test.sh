#!/bin/sh
# test.sh   everything that make test runs, section by section; goes on after a
# failure and ends with one line: "N passed, N failed".
set -u
cd "$(dirname "$0")/../.."
. tests/check/sections.sh

make -s -j"$jobs" all tests || { echo "0 passed, 1 failed"; exit 1; }
make -s -j"$jobs" VARIANT=asan unit-programs fuzz-programs || { echo "0 passed, 1 failed"; exit 1; }

section "unit"                        ; programs build/release/tests/unit/*
section "unit, ASan and UBSan"        ; programs build/asan/tests/unit/*
section "store, SQLite and PostgreSQL"; with_postgres programs build/release/tests/store/*
section "flow: a real keepd"          ; programs build/release/tests/flow/*
section "flow, on PostgreSQL"         ; on_postgres flow
section "fault"                       ; programs build/release/tests/fault/*
section "fuzz corpora"                ; for variant in release asan; do corpora $variant; done
section "checks"                      ; checks
if [ -x tests/web/run.sh ] || [ -f tests/web/run.sh ]; then
    section "web, in Chromium"        ; script tests/web/run.sh
fi
total
