#!/bin/sh
# Enforces tests/check/layers.txt on every #include of agentlink/ and server/.
set -eu
find agentlink server -name '*.[ch]' | sort | xargs grep -Hn '^#include' | awk '
    BEGIN {
        while ((getline line < "tests/check/layers.txt") > 0) {
            n = split(line, f, " ")
            if (f[1] == "layer") {
                name[f[2]] = f[3]; known[f[3]] = 1; may[f[3] " " f[3]] = 1
                for (i = 5; i <= n; i++) may[f[3] " " f[i]] = 1
            }
            if (f[1] == "door") { door[f[2]] = f[3]; for (i = 4; i <= n; i++) door[f[2]] = door[f[2]] " " f[i] }
        }
    }
    {
        split($0, p, ":"); file = p[1]; where = file ":" p[2]
        split(file, d, "/"); layer = name[d[1] "/" d[2]]
        if (layer == "" && d[2] != "main.c") { print where ": folder is in no layer"; bad = 1; next }
        inc = $0; sub(/^[^<"]*[<"]/, "", inc); sub(/[>"].*/, "", inc)
        if ($0 ~ /#include "/) {
            split(inc, q, "/")
            if (inc !~ /\//) { print where ": include \"" inc "\" with its folder"; bad = 1 }
            else if (!(q[1] in known)) { print where ": " inc " is of no layer"; bad = 1 }
            else if (layer != "" && !((layer " " q[1]) in may)) { print where ": " layer " may not include " inc; bad = 1 }
        } else {
            for (h in door)
                if (index(inc, h) == 1) {
                    n = split(door[h], folder, " "); found = 0
                    for (i = 1; i <= n; i++) if (index(file, folder[i] "/") == 1) found = 1
                    if (!found) { print where ": <" inc "> only in " door[h]; bad = 1 }
                }
            if (inc ~ /^(jansson|sodium|openssl|curl|sqlite3|libpq|microhttpd|gnutls|zlib|zstd|yaml|pcre2|libsmartcols|bpf)/) {
                found = 0
                for (h in door) if (index(inc, h) == 1) found = 1
                if (!found) { print where ": <" inc "> has no door in layers.txt"; bad = 1 }
            }
        }
    }
    END { if (!bad) print "layers: ok"; exit bad }'
