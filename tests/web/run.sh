#!/bin/sh
# Usage: tests/web/run.sh [GROUP]
# Walks through the web interface with a real browser (Chromium, without a window).
#   KEEP_WEB_URL    base address of a running keepd   } both, or neither: then the
#   KEEP_WEB_LOGIN  a login link of an administrator  } mock server is used
#   CHROMIUM        the browser                         (default /usr/bin/chromium)
# Pictures of every room, light and dark, land in build/web-shots/.
set -eu
cd "$(dirname "$0")/../.."
chromium=${CHROMIUM:-/usr/bin/chromium}
tools=build/web-node
if ! command -v node >/dev/null || ! [ -x "$chromium" ]; then
    echo "web: skipped: node or $chromium is missing"; exit 0
fi
if ! [ -d $tools/node_modules/playwright-core ] || ! [ -d $tools/node_modules/axe-core ]; then
    mkdir -p $tools
    cp tests/web/package.json $tools/
    (cd $tools && npm install --no-audit --no-fund --silent)
fi
mkdir -p build/web-shots
mock=
stop() { if [ -n "$mock" ]; then kill "$mock" 2>/dev/null || :; fi; }
trap stop EXIT INT TERM
if [ -z "${KEEP_WEB_URL:-}" ]; then
    : >build/web-shots/mock.out         # the shell in the background may come to it late
    node tests/web/mock.mjs >>build/web-shots/mock.out & mock=$!
    n=0; while [ "$(wc -l <build/web-shots/mock.out)" -lt 2 ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done
    if [ $n -eq 200 ]; then echo "web: the mock server does not start"; exit 1; fi
    KEEP_WEB_URL=$(sed -n 1p build/web-shots/mock.out) KEEP_WEB_LOGIN=$(sed -n 2p build/web-shots/mock.out)
fi
export KEEP_WEB_URL KEEP_WEB_LOGIN CHROMIUM="$chromium"
WEB_TOOLS=$PWD/$tools WEB_SHOTS=$PWD/build/web-shots node tests/web/walk.mjs "$@"
