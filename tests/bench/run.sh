#!/bin/sh
# Prints what keepd costs: run.sh [BUILD FOLDER]  (build/release).  A few minutes.
#
# Each comparison is interleaved in one run, so that both sides see the same machine.
# Needs wrk and nginx for the 304 table; without them it is left out.
set -eu
build=${1:-build/release}
dir=$(mktemp -d "${TMPDIR:-/tmp}/keep-bench-XXXXXX")
keepd= nginx=
stop() {
    trap - EXIT
    [ -n "$keepd" ] && kill "$keepd" 2>/dev/null
    [ -n "$nginx" ] && kill "$nginx" 2>/dev/null
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "machine: $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo
echo "== (a) one upload of 5 MB against its floor"
"$build/tests/bench/upload" one 20
echo
echo "== (b) uploads a second"
"$build/tests/bench/upload" many 8

rate() {        # URL, seconds: requests a second
    wrk -t2 -c64 -d"$2" -H "If-None-Match: $3" "$1" | awk '/Requests\/sec/ { print $2 }'
}
etag() { curl -sI "$1" | awk 'tolower($1) == "etag:" { print $2 }' | tr -d '\r'; }

not_modified() {
    echo
    echo "== (c) 304 answers a second, 64 connections, 5 rounds; and while 8 clients upload"
    "$build/keepd" init --data "$dir/data" --json >"$dir/init"
    KEEP_LIMIT_RATE=0 "$build/keepd" serve --data "$dir/data" --listen 127.0.0.1:0 2>"$dir/log" &
    keepd=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$dir/log" | head -1)
        [ -n "$port" ] && break
        sleep 0.3
    done
    curl -s "http://127.0.0.1:$port/v1/openapi.json" >"$dir/openapi.json"
    other=$((port > 40000 ? port - 7000 : port + 7000))
    cat >"$dir/nginx.conf" <<CONF
worker_processes 2; pid $dir/nginx.pid; error_log $dir/error.log; daemon off;
events { worker_connections 1024; }
http { access_log off; server { listen 127.0.0.1:$other; root $dir; keepalive_requests 1000000; } }
CONF
    chmod 755 "$dir"
    nginx -p "$dir" -c "$dir/nginx.conf" &
    nginx=$!
    sleep 0.5
    ours="http://127.0.0.1:$port/v1/openapi.json" theirs="http://127.0.0.1:$other/openapi.json"
    a=$(etag "$ours") b=$(etag "$theirs")
    if [ -z "$b" ]; then
        echo "nginx does not serve here: left out"
        return
    fi
    for _ in 1 2 3 4 5; do
        echo "$(rate "$ours" 2s "$a") $(rate "$theirs" 2s "$b")"
    done | sort -n | awk '{ o[NR] = $1; n[NR] = $2; r[NR] = $1 / $2 }
        END { m = int((NR + 1) / 2); printf "alone: keepd median %d (%d .. %d), nginx in the same rounds %d .. %d, ratio %.2f .. %.2f\n",
              o[m], o[1], o[NR], n[1], n[NR], r[1], r[NR] }'
    token=$(sed -n 's/.*"admin_token":"\([^"]*\)".*/\1/p' "$dir/init")
    openssl genpkey -algorithm ed25519 -out "$dir/key.pem" 2>/dev/null
    pem=$(openssl pkey -in "$dir/key.pem" -pubout 2>/dev/null | awk '{ printf "%s\\n", $0 }')
    curl -sf -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "{\"name\":\"bench\",\"public_key\":\"$pem\"}" "http://127.0.0.1:$port/v1/signers" >/dev/null
    "$build/tests/bench/upload" feed 8 "$port" "$token" "$dir/key.pem" >"$dir/feed" &
    feed=$!
    sleep 1
    echo "while uploads run: keepd $(rate "$ours" 5s "$a")"
    wait $feed
    cat "$dir/feed"
}
if command -v wrk >/dev/null && command -v nginx >/dev/null && command -v curl >/dev/null; then
    not_modified
else
    echo "== (c) left out: wrk, nginx or curl is not installed"
fi
echo
echo "== (d) questions of the fleet"
"$build/tests/bench/fleet" 1000 10000
echo
echo "== (e) memory"
"$build/tests/bench/memory" 10000
