#!/bin/sh
# What must not stand in the sources: functions that cannot be used safely, ways
# around the build, names of machines, work left for later; SQL outside of its place.
set -eu
bad=0
# name, then why
check() {
    pattern=$1 why=$2
    shift 2
    # shellcheck disable=SC2086
    if grep -nE "$pattern" "$@" /dev/null | grep -vE ':[0-9]+: *(\*|//|/\*)'; then
        echo "banned: $why"
        bad=1
    fi
}

functions='strcpy|strcat|strncat|stpcpy|sprintf|vsprintf|gets|strtok|strtok_r|atoi|atol|atof|alloca|system|popen|rand|srand|random|tmpnam|mktemp|asctime|ctime|gmtime|localtime|getwd|readdir_r|setjmp|vfork|signal\(SIG[A-Z]*, *[a-z]'
# A call: the name, not preceded by a letter, an underscore, a dot or an arrow, and
# not within a string.
calls=$(find agentlink server -name '*.[ch]' | sort | xargs awk '
    { line = $0; gsub(/"([^"\\]|\\.)*"/, "\"\"", line); print FILENAME ":" FNR ":" line }' |
    grep -E "(:|[^A-Za-z0-9_.>\"])($functions)[ ]*\(" | grep -vE ':[0-9]+: *(\*|//|/\*)') || true
if [ -n "$calls" ]; then
    printf '%s\nbanned: a function of the list in %s\n' "$calls" "$0"
    bad=1
fi
check '(^|[^A-Za-z0-9_.>"])(exit|_exit|abort)[ ]*\(' 'ending the process below main' \
    $(find agentlink server -name '*.c' ! -name main.c | grep -vE '^(server/cmd|agentlink/ctl)/' | sort)
check '/(home|root|work|mnt|Users)/[a-z]' 'a path of somebody'\''s machine' $(git ls-files | grep -vE '\.(png|ico|woff2?|gz|zst|bin)$|^tests/fuzz/corpus/')
check '(TO''DO|FIX''ME|(^|[^X])X''XX([^X]|$))' 'work left for later' $(git ls-files | grep -vE '\.(png|ico|woff2?|gz|zst|bin)$|^tests/fuzz/corpus/')
check '"[^"]*(SELECT .* FROM |INSERT INTO |UPDATE [a-z_]+ SET |DELETE FROM )' 'SQL outside of server/store and server/db' \
    $(find agentlink server -name '*.c' | grep -vE '^server/(store|db)/' | sort)
[ "$bad" -eq 0 ] && echo 'banned: ok'
exit $bad
