# sections.sh - what test.sh is made of; read by it with ".".
jobs=$(nproc)
KEEP_TALLY=$(mktemp)
export KEEP_TALLY
trap 'rm -f "$KEEP_TALLY"' EXIT

section() { printf '\n== %s\n' "$1"; }

# Compiled programs among the arguments: a folder also holds objects.
programs() {
    list=
    for p in "$@"; do
        [ -f "$p" ] && [ -x "$p" ] && list="$list $p"
    done
    # shellcheck disable=SC2086
    [ -z "$list" ] || sh tests/check/run_programs.sh $list
}

with_postgres() {
    list=
    shift
    for p in "$@"; do
        [ -f "$p" ] && [ -x "$p" ] && list="$list $p"
    done
    # shellcheck disable=SC2086
    sh tests/check/with_postgres.sh sh tests/check/run_programs.sh $list || [ $? -ne 77 ] || failed_once PostgreSQL
}

# The flow tests that can run against either engine say so by reading KEEP_FLOW_PG.
on_postgres() {
    list=
    for source in $(grep -l 'upload\.h\|KEEP_FLOW_PG' "tests/$1"/*.c); do
        list="$list build/release/${source%.c}"
    done
    # shellcheck disable=SC2086
    [ -z "$list" ] || KEEP_FLOW_PG=1 with_postgres programs $list
}

corpora() {
    for fuzzer in build/"$1"/tests/fuzz/*; do
        [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
        name=${fuzzer##*/}
        out=$(find "tests/fuzz/corpus/$name" -type f -print0 2>/dev/null | xargs -0 timeout 600 "$fuzzer" 2>&1) &&
            passed_once "$1 $name: ${out##*: }" || { echo "$out"; failed_once "$fuzzer"; }
    done
}

script() {
    [ -f "$1" ] || return 0
    if out=$(timeout 900 sh "$1" 2>&1); then
        passed_once "$1: $(printf '%s\n' "$out" | tail -n 1)"
    else
        printf '%s\n' "$out" | grep -iE 'not ok|fail|error' | head -n 30
        printf '%s\n' "$out" | tail -n 30
        failed_once "$1"
    fi
}

passed_once() { printf '%-8s %s\n' ok "$1"; echo "1 0" >>"$KEEP_TALLY"; }
failed_once() { printf '%-8s %s\n' FAILED "$1"; echo "0 1" >>"$KEEP_TALLY"; }

# The last line; the exit code says the same.
total() {
    echo
    awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f; exit f > 0 }' "$KEEP_TALLY"
}

# The rules of the sources: make check.
checks() {
    if out=$(make -s check 2>&1); then
        printf '%s\n' "$out" | tail -n 12
        passed_once "make check"
    else
        printf '%s\n' "$out" | tail -n 60
        failed_once "make check"
    fi
}
