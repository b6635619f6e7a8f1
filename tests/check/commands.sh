#!/bin/sh
# commands.sh - the command tables: each program's help, man page and completions
# are there and well-formed, and the table of routes describes itself.
set -eu
cd "$(dirname "$0")/../.."
for program in keepd keepctl keep-agent keep-demo; do
    [ -x build/$program ] || continue
    build/$program --help | grep -q '^usage: '
    [ $program = keep-demo ] && continue
    page=$(build/$program man)
    case $page in .TH*|*"
.TH"*) ;; *) echo "$program man: no title"; exit 1 ;; esac
    if command -v man >/dev/null && command -v groff >/dev/null; then
        warnings=$(printf '%s\n' "$page" | groff -man -Tutf8 -ww 2>&1 >/dev/null)
        [ -z "$warnings" ] || { echo "$program man: $warnings"; exit 1; }
    fi
    build/$program completion bash | bash -n
    for shell in bash zsh fish; do
        [ -n "$(build/$program completion $shell)" ] || { echo "$program: no completion for $shell"; exit 1; }
    done
done
build/keepd openapi | grep -q '"openapi":"3.1'
build/keepd routes >/dev/null
build/keepd config --show --data /nowhere >/dev/null
echo "command lines: ok"
