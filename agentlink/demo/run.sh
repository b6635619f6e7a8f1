#!/bin/sh
# run.sh start|stop|clean   a server with the demo fleet, all of it in .run/.
#   FOREGROUND=1   start: stay until Ctrl-C, then stop the server
#   PORT=N         start: the port (the first free one from 8470 on)
#   RUN=DIR        another folder than .run, within the repository
set -eu
cd "$(dirname "$0")/../.."
run=${RUN:-.run}
umask 077

server_pid() {
    pid=$(cat $run/keepd.pid 2>/dev/null) || return 1
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
        *keepd\ serve\ *"$PWD/$run/data "*) return 0 ;;       # ours, not a later process of the same number
    esac
    return 1
}

nodes_pid() {
    pid=$(cat $run/nodes.pid 2>/dev/null) || return 1
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
        *keep-demo\ nodes\ *"$PWD/$run/nodes "*) return 0 ;;
    esac
    return 1
}

stop() {
    if nodes_pid; then kill "$pid"; fi
    rm -f $run/nodes.pid
    if server_pid; then
        kill "$pid"
        n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
    fi
    rm -f $run/keepd.pid
}

free_port() {
    port=${PORT:-8470}
    while [ "$port" -lt 8570 ]; do
        code=0; curl -s -o /dev/null -m 2 "http://127.0.0.1:$port/" || code=$?
        [ $code -eq 7 ] && return 0                            # refused: nobody listens
        [ -n "${PORT:-}" ] && break
        port=$((port + 1))
    done
    echo "port $port is taken; try: make run PORT=9000" >&2; exit 1
}

call() {     # call METHOD PATH: the answer, as the administrator
    curl -sf -m 10 -X "$1" -H @$run/auth "$url$2"
}

text_of() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }

# A token of 30 days; renewed by the next start that finds it old.
renew_token() {
    [ -n "$(find $run/token -mtime -20 2>/dev/null)" ] && return 0
    build/keepd token --data "$PWD/$run/data" --role admin --name 'make run' --expires-in 30d >$run/token
    printf 'Authorization: Bearer %s\n' "$(cat $run/token)" >$run/auth
}

launch() {
    free_port
    url=http://127.0.0.1:$port
    KEEP_LIMIT_RATE=0 setsid build/keepd serve --data "$PWD/$run/data" --listen 127.0.0.1:$port >>$run/keepd.log 2>&1 </dev/null &
    echo $! >$run/keepd.pid
    echo "$url" >$run/url
    n=0
    until curl -sf -o /dev/null "$url/readyz"; do
        n=$((n + 1))
        if [ $n -gt 100 ]; then tail -n 3 $run/keepd.log >&2; exit 1; fi
        sleep 0.1
    done
}

start() {
    if server_pid; then
        url=$(cat $run/url)
    else
        # A first run that was interrupted is begun again.
        [ -e $run/filled ] || rm -rf "$run"
        mkdir -p $run
        [ -e $run/data ] || build/keepd init --data "$PWD/$run/data" >/dev/null
        renew_token
        launch
    fi
    if ! [ -e $run/filled ]; then
        echo "Filling it with a demo fleet, through the API, with signed reports:"
        KEEP_TOKEN=$(cat $run/token) build/keep-demo fill --url "$url" --keys $run/keys
        : >$run/filled
    fi
    # Its nodes join, tell what they run, and stay, as agents do.
    if ! nodes_pid; then
        KEEP_TOKEN=$(cat $run/token) setsid build/keep-demo nodes --url "$url" --keys "$PWD/$run/nodes" --stay >>$run/nodes.log 2>&1 </dev/null &
        echo $! >$run/nodes.pid
    fi
    id=$(call GET /v1/users | sed 's/},{/}\n{/g' | grep '"name":"admin"' | text_of id)
    link=$(call POST "/v1/users/$id/login-link" | text_of link_path)
    printf 'export KEEP_SERVER=%s KEEP_TOKEN=%s\n' "$url" "$(cat $run/token)" >$run/env
}

show() {
    cat <<END

Keep runs at $url

Log in once with this link (make run prints a new one):

    $url$link

Commands to try:

END
    if [ -x build/keepctl ]; then
        cat <<END
    . $run/env
    build/keepctl posture
    build/keepctl image list --stale
    build/keepctl package find log4j-core --version '< 2.17.1'
    build/keepctl alert list
END
    else
        cat <<END
    . $run/env
    curl -sH @$run/auth "\$KEEP_SERVER/v1/posture"
    curl -sH @$run/auth "\$KEEP_SERVER/v1/images?stale=true&running=true&limit=5"
    curl -sH @$run/auth "\$KEEP_SERVER/v1/packages?name=log4j-core&version=%3C%202.17.1"
END
    fi
    printf '\nmake stop stops it; make clean-run removes it and its data (.run/).\n'
}

case ${1:-} in
start)
    trap 'code=$?; if [ $code -ne 0 ] && ! [ -e $run/filled ]; then stop; fi; exit $code' EXIT
    start
    show
    if [ -n "${FOREGROUND:-}" ]; then
        trap 'stop; exit 0' INT TERM
        while server_pid; do sleep 1; done
    fi
    ;;
stop)  stop ;;
clean) stop; rm -rf $run ;;
*)     echo "usage: run.sh start|stop|clean" >&2; exit 2 ;;
esac
