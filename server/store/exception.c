/* exception.c - see exception.h. */
#include "store/exception.h"
#include "base/time.h"
#include "store/rows.h"

#define COLS "id, vulnerability, rule, repository, digest, package, namespace, reason, owner, source," \
             " vex_status, justification, created_ms, created_by, expires_ms, revoked_ms"
#define COLS_OUT "ttttttttttttitii"
#define STATE "CASE WHEN revoked_ms IS NOT NULL THEN 'revoked' WHEN expires_ms <= $3 THEN 'expired' ELSE 'active' END"

enum { Q_INSERT, Q_GET, Q_LIST, Q_ACTIVE, Q_SAME_VEX, Q_REVOKE, Q_N };
static const struct db_query Q[] = {
    [Q_INSERT] = { "exception.insert", "ttttttttttttiti", "",
        "INSERT INTO exceptions (id, vulnerability, rule, repository, digest, package, namespace, reason, owner,"
        " source, vex_status, justification, created_ms, created_by, expires_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)" },
    [Q_GET]    = { "exception.get", "t", COLS_OUT, "SELECT " COLS " FROM exceptions WHERE id = $1" },
    [Q_LIST]   = { "exception.list", "itittttii", COLS_OUT,
        "SELECT " COLS " FROM exceptions WHERE (created_ms, id) < ($1, $2)"
        " AND (" STATE " = $4 OR $4 IS NULL)"
        " AND ($5 IS NULL OR vulnerability = $5) AND ($6 IS NULL OR rule = $6) AND ($7 IS NULL OR owner = $7)"
        " AND ($8 IS NULL OR (revoked_ms IS NULL AND expires_ms > $3 AND expires_ms <= $8))"
        " ORDER BY created_ms DESC, id DESC LIMIT $9" },
    [Q_ACTIVE] = { "exception.list_active", "i", COLS_OUT,
        "SELECT " COLS " FROM exceptions WHERE expires_ms > $1 AND revoked_ms IS NULL ORDER BY expires_ms, id" },
    [Q_SAME_VEX] = { "exception.list_same_vex", "itttt", COLS_OUT,
        "SELECT " COLS " FROM exceptions WHERE expires_ms > $1 AND revoked_ms IS NULL AND source = 'openvex'"
        " AND vulnerability = $2 AND repository IS NOT DISTINCT FROM $3 AND digest IS NOT DISTINCT FROM $4"
        " AND package IS NOT DISTINCT FROM $5 AND namespace IS NULL ORDER BY expires_ms, id" },
    [Q_REVOKE] = { "exception.revoke", "it", "",
        "UPDATE exceptions SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL" },
};
const struct db_queries exception_queries = { Q, Q_N };

static void exception_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct exception *e = out;

    *e = (struct exception){
        .id = row_text(row, 0, arena, failed),
        .vulnerability = db_col_text(row, 1, arena, failed),
        .rule = db_col_text(row, 2, arena, failed),
        .repository = db_col_text(row, 3, arena, failed),
        .digest = db_col_text(row, 4, arena, failed),
        .package = db_col_text(row, 5, arena, failed),
        .namespace = db_col_text(row, 6, arena, failed),
        .reason = row_text(row, 7, arena, failed),
        .owner = row_text(row, 8, arena, failed),
        .source = row_text(row, 9, arena, failed),
        .vex_status = db_col_text(row, 10, arena, failed),
        .justification = db_col_text(row, 11, arena, failed),
        .created_ms = db_col_i(row, 12),
        .created_by = row_text(row, 13, arena, failed),
        .expires_ms = db_col_i(row, 14),
        .revoked_ms = db_col_time(row, 15),
        .applies_to = -1,
    };
}

int exception_insert(struct db *db, const struct exception *e, struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(e->id), db_t(e->vulnerability), db_t(e->rule),
                   db_t(e->repository), db_t(e->digest), db_t(e->package), db_t(e->namespace), db_t(e->reason),
                   db_t(e->owner), db_t(e->source), db_t(e->vex_status), db_t(e->justification),
                   db_i(e->created_ms), db_t(e->created_by), db_i(e->expires_ms)), NULL, err);
}

int exception_get(struct db *db, const char *id, struct arena *arena, struct exception *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, exception_read, out, "exception", err);
}

static int list(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in, size_t max,
                struct arena *arena, struct exception **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, q, in, n_in, arena, exception_read, sizeof **out, max, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int exception_list(struct db *db, const struct exception_filter *f, int64_t now_ms,
                   int64_t before_ms, const char *before_id, int64_t limit, struct arena *arena,
                   struct exception **out, size_t *n, struct err *err)
{
    return list(db, &Q[Q_LIST], DB_IN(db_i(before_ms), db_t(before_id), db_i(now_ms), db_t(f->state),
                db_t(f->vulnerability), db_t(f->rule), db_t(f->owner), db_time(f->expires_before_ms),
                db_i(limit)), (size_t)limit, arena, out, n, err);
}

int exception_list_active(struct db *db, int64_t now_ms, struct arena *arena,
                          struct exception **out, size_t *n, struct err *err)
{
    return list(db, &Q[Q_ACTIVE], DB_IN(db_i(now_ms)), EXCEPTIONS_ACTIVE_MAX, arena, out, n, err);
}

int exception_list_same_vex(struct db *db, const struct exception *like, int64_t now_ms, struct arena *arena,
                            struct exception **out, size_t *n, struct err *err)
{
    return list(db, &Q[Q_SAME_VEX], DB_IN(db_i(now_ms), db_t(like->vulnerability), db_t(like->repository),
                db_t(like->digest), db_t(like->package)), EXCEPTIONS_ACTIVE_MAX, arena, out, n, err);
}

int exception_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err)
{
    int64_t n;

    if (db_exec(db, &Q[Q_REVOKE], DB_IN(db_i(at_ms), db_t(id)), &n, err) != 0)
        return -1;
    *changed = n == 1;
    return 0;
}
