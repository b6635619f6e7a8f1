/* allowance.c - see allowance.h. */
#include "store/allowance.h"
#include "store/rows.h"

#define COLS "pattern, reason, created_ms, created_by, expires_ms"
#define COLS_OUT "ttiti"

enum { Q_INSERT, Q_GET, Q_LIST, Q_ACTIVE, Q_DELETE, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "allowance.insert", "ttiti", "",
        "INSERT INTO unsigned_allowances (" COLS ") VALUES ($1, $2, $3, $4, $5)" },
    [Q_GET]    = { "allowance.get", "t", COLS_OUT,
        "SELECT " COLS " FROM unsigned_allowances WHERE pattern = $1" },
    [Q_LIST]   = { "allowance.list", "ti", COLS_OUT,
        "SELECT " COLS " FROM unsigned_allowances WHERE pattern > $1 ORDER BY pattern LIMIT $2" },
    [Q_ACTIVE] = { "allowance.list_active", "i", COLS_OUT,
        "SELECT " COLS " FROM unsigned_allowances WHERE expires_ms > $1 ORDER BY pattern" },
    [Q_DELETE] = { "allowance.delete", "t", "", "DELETE FROM unsigned_allowances WHERE pattern = $1" },
};
const struct db_queries allowance_queries = { Q, Q_N };

static void allowance_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct allowance *a = out;

    *a = (struct allowance){
        .pattern = row_text(row, 0, arena, failed),
        .reason = row_text(row, 1, arena, failed),
        .created_ms = db_col_i(row, 2),
        .created_by = row_text(row, 3, arena, failed),
        .expires_ms = db_col_i(row, 4),
    };
}

int allowance_insert(struct db *db, const struct allowance *a, struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(a->pattern), db_t(a->reason), db_i(a->created_ms),
                   db_t(a->created_by), db_i(a->expires_ms)), NULL, err);
}

int allowance_get(struct db *db, const char *pattern, struct arena *arena, struct allowance *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(pattern)), arena, allowance_read, out, "unsigned allowance", err);
}

static int list(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in, size_t max,
                struct arena *arena, struct allowance **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, q, in, n_in, arena, allowance_read, sizeof **out, max, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int allowance_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
                   struct allowance **out, size_t *n, struct err *err)
{
    return list(db, &Q[Q_LIST], DB_IN(db_t(after), db_i(limit)), (size_t)limit, arena, out, n, err);
}

int allowance_list_active(struct db *db, int64_t now_ms, struct arena *arena,
                          struct allowance **out, size_t *n, struct err *err)
{
    return list(db, &Q[Q_ACTIVE], DB_IN(db_i(now_ms)), ALLOWANCES_MAX, arena, out, n, err);
}

int allowance_delete(struct db *db, const char *pattern, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE], DB_IN(db_t(pattern)), NULL, err);
}
