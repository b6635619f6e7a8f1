#!/bin/sh
# Functions over 60 lines and files over 500 are listed: guides.  Over 100 and 900 they fail.
set -eu
find agentlink server tests -name '*.[ch]' | sort | xargs awk '
    FNR == 1 { if (file != "") files(); file = FILENAME; lines = 0; name = "" }
    { lines = FNR }
    /^[a-z].*\)$/ && !/;/ { head = $0; at = FNR }
    /^[a-z].*,$/ { head = $0; at = FNR }
    /^\{/ { open = FNR; name = head }
    /^\}/ && name != "" {
        n = FNR - open - 1
        sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
        total++; sum[n]++
        if (n > 60) print FILENAME ": " name ": " n " lines"
        if (n > 100) bad = 1
        name = ""
    }
    function files() {
        if (lines > 500) print file ": " lines " lines"
        if (lines > 900) bad = 1
    }
    END {
        files()
        for (i = 0; half < total / 2; i++) half += sum[i]
        print "sizes: " total " functions, the median has " i - 1 " lines"
        exit bad
    }'
