#!/bin/sh
# first_run.sh - what make run does, in a folder of its own: a new server fills
# itself, says where it is, is found running by a second start, stops and goes.
set -eu
cd "$(dirname "$0")/../.."
RUN=build/first-run
export RUN
run() { sh agentlink/demo/run.sh "$1"; }
trap 'run clean' EXIT
fail() { echo "first run: $1"; exit 1; }

run clean
first=$(run start)
second=$(run start)
link=$(printf '%s\n' "$first" | grep -o 'http://127.0.0.1:[0-9]*/login#keep_lnk_[A-Za-z0-9_]*') || fail "no link: $first"
again=$(printf '%s\n' "$second" | grep -o 'http://127.0.0.1:[0-9]*/login#keep_lnk_[A-Za-z0-9_]*') || fail "no second link: $second"
[ "$link" != "$again" ] || fail "the link is the same twice"

# shellcheck disable=SC1090
. ./$RUN/env
ask() { curl -sf -H @$RUN/auth "$KEEP_SERVER/v1/$1"; }
posture=$(ask posture)
number() { printf '%s' "$posture" | grep -o "\"$1\":[0-9]*" | head -n 1 | cut -d: -f2; }
for kind in images pass warn fail unknown fresh stale_scan stale_database never_scanned critical kev secrets expiring_soon; do
    [ "$(number $kind)" -gt 0 ] || fail "nothing is $kind: $posture"
done
[ "$(number images)" -ge 300 ] || fail "only $(number images) images"

# The link logs in once.
post() { curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d "{\"link\":\"${1#*#}\"}" "$KEEP_SERVER/v1/login"; }
[ "$(post "$again")" = 200 ] || fail "the link does not log in"
[ "$(post "$again")" != 200 ] || fail "the link logs in twice"

run stop
code=0; curl -s -o /dev/null "$KEEP_SERVER/healthz" || code=$?
[ $code -eq 7 ] || fail "it still runs after stop"
run clean
[ ! -e $RUN ] || fail "clean left something"
echo "first run: ok, $(number images) images"
