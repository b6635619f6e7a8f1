#!/bin/sh
# Turns schema/NNNN_words.sql (arguments, in order) into the C array of migrate.h.
#
# One text, two dialects.  Outside of 'literals', "names" and -- comments:
#   INT64      INTEGER | BIGINT
#   BYTES      BLOB    | BYTEA
#   TEXT       TEXT    | TEXT COLLATE "C"   only behind a lower-case name: the type of
#                                           a column, not the target of a CAST
#   STRICT     STRICT  | (nothing)
#   CLUSTERED  WITHOUT ROWID, | (nothing)   before STRICT: rows lie in the primary key
# Lines between `--only sqlite` or `--only postgres` and `--both` are for one of
# them (triggers).  Comments and empty lines are left out, so that correcting a
# comment does not change the recorded hash.
set -eu

translate() {    # file, dialect -> C string literals, a line each
    awk -v dialect="$2" '
    function code(s,    out, word) {
        out = ""
        while (match(s, /[A-Za-z_0-9]+/)) {
            word = substr(s, RSTART, RLENGTH)
            out = out substr(s, 1, RSTART - 1)
            s = substr(s, RSTART + RLENGTH)
            if (word == "INT64") out = out (dialect == "sqlite" ? "INTEGER" : "BIGINT")
            else if (word == "BYTES") out = out (dialect == "sqlite" ? "BLOB" : "BYTEA")
            else if ((word == "STRICT" || word == "CLUSTERED") && dialect == "postgres") sub(/ +$/, "", out)
            else if (word == "CLUSTERED") out = out "WITHOUT ROWID,"
            else if (word == "TEXT" && dialect == "postgres" && last ~ /^[a-z_][a-z_0-9]*$/) out = out "TEXT COLLATE \"C\""
            else out = out word
            last = word
        }
        return out s
    }
    BEGIN { quote = ""; only = "" }
    quote == "" && /^--only (sqlite|postgres)$/ { only = $2; next }
    quote == "" && /^--both$/ { only = ""; next }
    only != "" && only != dialect { next }
    {
        rest = $0; line = ""
        while (rest != "") {
            if (quote != "") {                       # inside a literal, maybe from an earlier line
                at = index(rest, quote)
                if (at == 0) { line = line rest; rest = ""; break }
                line = line substr(rest, 1, at)
                rest = substr(rest, at + 1)
                quote = ""; last = ""
            } else if (match(rest, /\047|"|--/)) {
                at = RSTART                          # code() matches, too
                line = line code(substr(rest, 1, at - 1))
                if (substr(rest, at, 2) == "--") { rest = ""; break }
                quote = substr(rest, at, 1)
                line = line quote
                rest = substr(rest, at + 1)
            } else {
                line = line code(rest); rest = ""
            }
        }
        if (quote == "") sub(/[ \t]+$/, "", line)
        if (line == "" && quote == "") next
        gsub(/\\/, "\\\\\\\\", line); gsub(/"/, "\\\"", line)
        printf "        \"%s\\n\"\n", line
    }' "$1"
}

echo '/* Made by server/db/migrations.sh from schema/. */'
echo '#include "db/migrate.h"'
echo
echo '#include <stddef.h>'
echo
echo 'const struct migration migrations[] = {'
expected=1
for file in "$@"; do
    name=$(basename "$file" .sql)
    case $name in
    [0-9][0-9][0-9][0-9]_[a-z]*) ;;
    *) echo "$file: must be called NNNN_words.sql" >&2; exit 1 ;;
    esac
    number=$(expr "${name%%_*}" + 0)
    if [ "$number" -ne "$expected" ]; then
        echo "$file: number $number where $expected should be" >&2; exit 1
    fi
    expected=$((expected + 1))
    printf '    { %d, "%s",\n' "$number" "$name"
    translate "$file" sqlite
    printf '        ,\n'
    translate "$file" postgres
    printf '    },\n'
done
echo '    { 0, NULL, NULL, NULL },'
echo '};'
