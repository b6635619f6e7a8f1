#!/bin/sh
# 304 answers a second, ours against nginx, same connections; then memory.
# Usage: tests/bench/http.sh build/release/tests/bench/http [seconds] [connections]
set -eu
program=$1 seconds=${2:-5} connections=${3:-64}
dir=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ ! -f "$dir/nginx.pid" ] || kill "$(cat "$dir/nginx.pid")" 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT

"$program" serve >"$dir/port" &
server=$!
while [ ! -s "$dir/port" ]; do sleep 0.1; done
port=$(cat "$dir/port")

mkdir -p "$dir/www" "$dir/tmp"
printf '{"bundle":"a rather short one, but bytes all the same"}' >"$dir/www/bundle"
touch -d 2026-01-01T00:00:00Z "$dir/www/bundle"
conf() { cat >"$dir/nginx.conf" <<CONF
user root; worker_processes auto; pid $dir/nginx.pid; error_log $dir/error.log; daemon on;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp;
  uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
  server { listen 127.0.0.1:$1; root $dir/www; etag on; } }
CONF
}
other=18470                          # below the ports the kernel hands out
until conf $other && nginx -c "$dir/nginx.conf" -p "$dir" 2>/dev/null; do
    other=$((other + 1)); [ $other -lt 18480 ] || exit 1
done
while [ ! -s "$dir/nginx.pid" ]; do sleep 0.1; done
etag=$(curl -sI "http://127.0.0.1:$other/bundle" | tr -d '\r' | sed -n 's/^ETag: //p')

# Processor time of a process and its children, in ticks of 10 ms.
ticks() { cat "/proc/$1/stat" $(pgrep -P "$1" | sed 's|.*|/proc/&/stat|') | awk '{ n += $14 + $15 } END { print n }'; }

run() {    # name, pid, url, etag
    before=$(ticks "$2")
    out=$(wrk -t1 -c"$connections" -d"${seconds}s" -H "If-None-Match: $4" "$3")
    after=$(ticks "$2")
    printf '%s\n' "$out" | awk -v name="$1" -v ticks=$((after - before)) '
        /Requests\/sec/ { rate = $2 } / requests in / { n = $1 } /Non-2xx/ { bad = "  (not all were 2xx or 3xx)" }
        END { printf "%-8s %10.0f answers/s  %6.2f us of CPU each%s\n", name, rate, ticks * 10000 / n, bad }'
}
for round in 1 2 3; do
    run keepd "$server" "http://127.0.0.1:$port/v1/open-bundle" '"bundle-1"'
    run nginx "$(cat "$dir/nginx.pid")" "http://127.0.0.1:$other/bundle" "$etag"
done
run worker "$server" "http://127.0.0.1:$port/v1/read/x" '"none"'
kill "$server"
wait "$server"
server=
"$program" idle 10000
"$program" slow 9000
