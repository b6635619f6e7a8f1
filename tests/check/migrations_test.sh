#!/bin/sh
# Checks server/db/migrations.sh: one text becomes the two dialects, and nothing
# outside the type positions is touched.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/0001_base.sql" <<'SQL'
-- a comment with TEXT and INT64
CREATE TABLE images (
    id TEXT PRIMARY KEY, -- the digest's TEXT
    at INT64 NOT NULL, note TEXT, raw BYTES,
    word TEXT DEFAULT 'it''s TEXT -- "INT64"
 second INT64 line'
) STRICT;
CREATE TABLE pairs (
    a INT64, b INT64, PRIMARY KEY (a, b)
) CLUSTERED STRICT;
ALTER TABLE images ADD COLUMN extra TEXT;
UPDATE images SET extra = CAST(at AS TEXT) || '\n' WHERE "TEXT" = 1;
--only sqlite
CREATE TRIGGER t BEFORE UPDATE ON images BEGIN SELECT RAISE(ABORT, 'no'); END;
--only postgres
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
--both
SQL
cat >"$dir/expected" <<'C'
/* Made by server/db/migrations.sh from schema/. */
#include "db/migrate.h"

#include <stddef.h>

const struct migration migrations[] = {
    { 1, "0001_base",
        "CREATE TABLE images (\n"
        "    id TEXT PRIMARY KEY,\n"
        "    at INTEGER NOT NULL, note TEXT, raw BLOB,\n"
        "    word TEXT DEFAULT 'it''s TEXT -- \"INT64\"\n"
        " second INT64 line'\n"
        ") STRICT;\n"
        "CREATE TABLE pairs (\n"
        "    a INTEGER, b INTEGER, PRIMARY KEY (a, b)\n"
        ") WITHOUT ROWID, STRICT;\n"
        "ALTER TABLE images ADD COLUMN extra TEXT;\n"
        "UPDATE images SET extra = CAST(at AS TEXT) || '\\n' WHERE \"TEXT\" = 1;\n"
        "CREATE TRIGGER t BEFORE UPDATE ON images BEGIN SELECT RAISE(ABORT, 'no'); END;\n"
        ,
        "CREATE TABLE images (\n"
        "    id TEXT COLLATE \"C\" PRIMARY KEY,\n"
        "    at BIGINT NOT NULL, note TEXT COLLATE \"C\", raw BYTEA,\n"
        "    word TEXT COLLATE \"C\" DEFAULT 'it''s TEXT -- \"INT64\"\n"
        " second INT64 line'\n"
        ");\n"
        "CREATE TABLE pairs (\n"
        "    a BIGINT, b BIGINT, PRIMARY KEY (a, b)\n"
        ");\n"
        "ALTER TABLE images ADD COLUMN extra TEXT COLLATE \"C\";\n"
        "UPDATE images SET extra = CAST(at AS TEXT) || '\\n' WHERE \"TEXT\" = 1;\n"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';\n"
    },
    { 0, NULL, NULL, NULL },
};
C
sh server/db/migrations.sh "$dir/0001_base.sql" >"$dir/got"
diff -u "$dir/expected" "$dir/got"

sh server/db/migrations.sh | grep -q '{ 0, NULL, NULL, NULL }'            # no file at all
: >"$dir/0003_gap.sql"
: >"$dir/0002_UPPER.sql"
for bad in 0003_gap 0002_UPPER; do
    if sh server/db/migrations.sh "$dir/0001_base.sql" "$dir/$bad.sql" >/dev/null 2>&1; then
        echo "$bad.sql was accepted"; exit 1
    fi
done
echo "migrations: ok"
