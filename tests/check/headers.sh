#!/bin/sh
# Every header compiles alone.  Flags as the build's: CC and CFLAGS_ALL from make.
set -eu
bad=0
# No dependency files: they would land in the working folder.
CFLAGS_ALL=$(printf '%s' "${CFLAGS_ALL:-}" | sed 's/-MMD -MP//')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for h in $(find agentlink server -name '*.h' | sort); do
    printf '#include "%s"\n' "$h" >"$tmp/one.c"
    # shellcheck disable=SC2086
    if ! ${CC:-gcc} ${CFLAGS_ALL:--std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -I. -Iagentlink -Iserver $(pkg-config --cflags libpq)} -fsyntax-only "$tmp/one.c" 2>"$tmp/said"; then
        echo "$h does not compile alone:"
        cat "$tmp/said"
        bad=1
    fi
done
[ "$bad" -eq 0 ] && echo 'headers: ok'
exit $bad
