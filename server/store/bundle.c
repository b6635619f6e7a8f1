/* bundle.c - see bundle.h. */
#include "store/bundle.h"

#include "store/rows.h"

#define COLS "scope, version, content_hash, signed_ms, expires_ms, root_version, length, cause"

enum { Q_ROOT_ADD, Q_ROOT_LIST, Q_ROOT_LAST, Q_NEWEST, Q_LIST, Q_ADD, Q_STRIP, Q_FORGET, Q_SCOPES, Q_RUNS, Q_MOVED, Q_GENERATION, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_ROOT_ADD] = { "trust_root.add", "ibit", "",
        "INSERT INTO trust_roots (version, envelope, created_ms, created_by) VALUES ($1, $2, $3, $4)" },
    [Q_ROOT_LIST] = { "trust_root.list", "ii", "ibit",
        "SELECT version, envelope, created_ms, created_by FROM trust_roots WHERE version > $1 ORDER BY version LIMIT $2" },
    [Q_ROOT_LAST] = { "trust_root.last", "", "i", "SELECT MAX(version) FROM trust_roots" },
    [Q_NEWEST] = { "bundle.newest", "t", "titiiiitb",
        "SELECT " COLS ", bytes FROM bundles WHERE scope = $1 ORDER BY version DESC LIMIT 1" },
    [Q_LIST] = { "bundle.list", "ti", "titiiiit",
        "SELECT " COLS " FROM bundles WHERE bytes IS NOT NULL AND scope > $1 ORDER BY scope LIMIT $2" },
    [Q_ADD] = { "bundle.add", "titiiiitb", "",
        "INSERT INTO bundles (" COLS ", bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)" },
    [Q_STRIP] = { "bundle.strip", "ti", "",
        "UPDATE bundles SET bytes = NULL WHERE bytes IS NOT NULL AND scope = $1 AND version < $2" },
    [Q_FORGET] = { "bundle.forget", "ti", "", "DELETE FROM bundles WHERE scope = $1 AND version < $2" },
    [Q_SCOPES] = { "bundle.scopes", "i", "t",
        "SELECT scope FROM nodes WHERE revoked_ms IS NULL GROUP BY scope ORDER BY scope LIMIT $1" },
    [Q_RUNS] = { "bundle.runs", "ti", "ii",
        "SELECT COALESCE(bundle_version, 0), COUNT(*) FROM nodes WHERE revoked_ms IS NULL AND scope = $1"
        " GROUP BY COALESCE(bundle_version, 0) ORDER BY COALESCE(bundle_version, 0) DESC LIMIT $2" },
    [Q_MOVED] = { "bundle.moved", "", "",
        "INSERT INTO settings (name, setting) VALUES ('bundle_generation', '1') ON CONFLICT (name)"
        " DO UPDATE SET setting = CAST(CAST(settings.setting AS BIGINT) + 1 AS TEXT)" },
    [Q_GENERATION] = { "bundle.generation", "", "i",
        "SELECT CAST(setting AS BIGINT) FROM settings WHERE name = 'bundle_generation'" },
};
const struct db_queries bundle_queries = { Q, Q_N };

enum { RUNS_MAX = 20 };

/* ---- roots ------------------------------------------------------------------------ */

int root_insert(struct db *db, const struct root_row *row, struct err *err)
{
    return db_exec(db, &Q[Q_ROOT_ADD], DB_IN(db_i(row->version), db_b(row->envelope.ptr, row->envelope.len), db_i(row->created_ms),
                   db_t(row->created_by)), NULL, err);
}

static void root_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct root_row *r = out;

    *r = (struct root_row){ .version = db_col_i(row, 0), .envelope = row_bytes(row, 1, arena, failed),
                            .created_ms = db_col_i(row, 2), .created_by = row_text(row, 3, arena, failed) };
}

int root_list(struct db *db, int64_t after, struct arena *arena, struct root_row **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_ROOT_LIST], DB_IN(db_i(after), db_i(TRUST_ROOTS_MAX)), arena, root_read, sizeof **out, TRUST_ROOTS_MAX,
                  &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int root_last(struct db *db, int64_t *version, struct err *err)
{
    return db_int(db, &Q[Q_ROOT_LAST], DB_NONE, 0, version, err);
}

/* ---- bundles ------------------------------------------------------------------------ */

static void info_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct bundle_row *b = out;

    *b = (struct bundle_row){
        .scope = row_text(row, 0, arena, failed), .version = db_col_i(row, 1), .content_hash = row_text(row, 2, arena, failed),
        .signed_ms = db_col_i(row, 3), .expires_ms = db_col_i(row, 4), .root_version = db_col_i(row, 5),
        .length = db_col_i(row, 6), .cause = row_text(row, 7, arena, failed),
    };
}

static void bundle_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    info_read(row, arena, out, failed);
    ((struct bundle_row *)out)->bytes = row_bytes(row, 8, arena, failed);
}

int bundle_newest(struct db *db, const char *scope, struct arena *arena, struct bundle_row *out, struct err *err)
{
    if (row_get(db, &Q[Q_NEWEST], DB_IN(db_t(scope)), arena, bundle_read, out, "bundle", err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    *out = (struct bundle_row){ .scope = scope };
    return 0;
}

int bundle_list(struct db *db, const char *after, int64_t limit, struct arena *arena, struct bundle_row **out, size_t *n,
                struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_t(after), db_i(limit)), arena, info_read, sizeof **out, (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int bundle_insert(struct db *db, const struct bundle_row *b, struct err *err)
{
    if (db_exec(db, &Q[Q_ADD], DB_IN(db_t(b->scope), db_i(b->version), db_t(b->content_hash), db_i(b->signed_ms), db_i(b->expires_ms),
                db_i(b->root_version), db_i(b->length), db_t(b->cause), db_b(b->bytes.ptr, b->bytes.len)), NULL, err) != 0 ||
        db_exec(db, &Q[Q_STRIP], DB_IN(db_t(b->scope), db_i(b->version)), NULL, err) != 0 ||
        db_exec(db, &Q[Q_MOVED], DB_NONE, NULL, err) != 0)
        return -1;
    return db_exec(db, &Q[Q_FORGET], DB_IN(db_t(b->scope), db_i(b->version - BUNDLE_HISTORY)), NULL, err);
}

/* ---- nodes, as far as bundles need them ------------------------------------------------ */

static void scope_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    *(const char **)out = row_text(row, 0, arena, failed);
}

int bundle_scopes(struct db *db, struct arena *arena, const char ***out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_SCOPES], DB_IN(db_i(BUNDLE_SCOPES_MAX)), arena, scope_read, sizeof **out, BUNDLE_SCOPES_MAX, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

static void run_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    (void)arena;
    (void)failed;
    *(struct bundle_run *)out = (struct bundle_run){ db_col_i(row, 0), db_col_i(row, 1) };
}

int bundle_runs(struct db *db, const char *scope, struct arena *arena, struct bundle_run **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_RUNS], DB_IN(db_t(scope), db_i(RUNS_MAX)), arena, run_read, sizeof **out, RUNS_MAX, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int bundle_generation(struct db *db, int64_t *generation, struct err *err)
{
    return db_int(db, &Q[Q_GENERATION], DB_NONE, 0, generation, err);
}
