#!/bin/sh
# with_postgres.sh COMMAND...  runs the command with KEEP_TEST_PG naming a private,
# empty PostgreSQL that listens on a unix socket only and is gone afterwards.
# Ends with the command's exit code; 77 when PostgreSQL is not installed.
set -u
bin=
for d in /usr/lib/postgresql/*/bin; do
    [ -x "$d/initdb" ] && bin=$d
done
if [ -z "$bin" ]; then
    echo "PostgreSQL: not installed (package postgresql)" >&2
    exit 77
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/keep-pg-XXXXXX")
as() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then            # the server refuses to run as root
    chown postgres "$dir"
    as() { runuser -u postgres -- "$@"; }
fi
pid=
stop() {
    trap - EXIT
    [ -f "$dir/data/postmaster.pid" ] && pid=$(head -n 1 "$dir/data/postmaster.pid")
    if [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; then
        i=0
        while kill -0 "$pid" 2>/dev/null && [ $i -lt 100 ]; do
            sleep 0.1
            i=$((i + 1))
        done
        kill -KILL "$pid" 2>/dev/null
    fi
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$dir" && as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 &&
    as "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/server.log" \
        -o "-k $dir -c listen_addresses='' -c max_connections=50" start >>"$dir/log" 2>&1 || {
    cat "$dir/log" "$dir/server.log" >&2
    exit 1
}
cd "$OLDPWD" || exit 1
KEEP_TEST_PG="postgresql://postgres@/postgres?host=$dir" "$@"
code=$?
stop
exit $code
