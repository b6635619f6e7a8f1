#!/bin/sh
# Admission over HTTP with wrk: the same 4 KB Pod judged, and parsed only.
# Usage: tests/bench/admission.sh URL TOKEN REVIEW.json [SECONDS]
# The floor is the same file with "CREATE" replaced by "DELETE".
set -eu
url=$1 token=$2 review=$3 seconds=${4:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$review" "$dir/judged"
sed 's/"operation": *"CREATE"/"operation":"DELETE"/' "$review" >"$dir/parsed"
for what in parsed judged; do
    cat >"$dir/$what.lua" <<LUA
wrk.method = "POST"
wrk.body = io.open("$dir/$what"):read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer $token"
LUA
    for connections in 1 8; do
        echo "$what, $connections connections"
        wrk -t1 -c"$connections" -d"${seconds}s" --latency -s "$dir/$what.lua" "$url/v1/admission/validate" |
            grep -E '50%|99%|Requests/sec|Non-2xx' || true
    done
done
