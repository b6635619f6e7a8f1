/* suppression.c - see suppression.h. */
#include "store/suppression.h"

#include "base/time.h"
#include "store/rows.h"

#define COLS "id, rule, repository, cluster, namespace, workload, subject, reason, created_ms, created_by, expires_ms, revoked_ms, n_hits"
#define COLS_OUT "ttttttttitiii"
#define STATE "CASE WHEN revoked_ms IS NOT NULL THEN 'revoked' WHEN expires_ms <= $3 THEN 'expired' ELSE 'active' END"

enum { Q_INSERT, Q_GET, Q_LIST, Q_ACTIVE, Q_COUNT, Q_REVOKE, Q_HIT, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_INSERT] = { "suppression.insert", "ttttttttiti", "",
        "INSERT INTO suppressions (id, rule, repository, cluster, namespace, workload, subject, reason, created_ms, created_by,"
        " expires_ms, n_hits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)" },
    [Q_GET] = { "suppression.get", "t", COLS_OUT, "SELECT " COLS " FROM suppressions WHERE id = $1" },
    [Q_LIST] = { "suppression.list", "ititi", COLS_OUT,
        "SELECT " COLS " FROM suppressions WHERE (created_ms, id) < ($1, $2) AND (" STATE " = $4 OR $4 IS NULL)"
        " ORDER BY created_ms DESC, id DESC LIMIT $5" },
    [Q_ACTIVE] = { "suppression.list_active", "ii", COLS_OUT,
        "SELECT " COLS " FROM suppressions WHERE expires_ms > $1 AND revoked_ms IS NULL ORDER BY expires_ms, id LIMIT $2" },
    [Q_COUNT] = { "suppression.count_active", "i", "i",
        "SELECT COUNT(*) FROM suppressions WHERE expires_ms > $1 AND revoked_ms IS NULL" },
    [Q_REVOKE] = { "suppression.revoke", "it", "", "UPDATE suppressions SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL" },
    [Q_HIT] = { "suppression.hit", "it", "", "UPDATE suppressions SET n_hits = n_hits + $1 WHERE id = $2" },
};
const struct db_queries suppression_queries = { Q, Q_N };

static void suppression_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct suppression *s = out;

    *s = (struct suppression){
        .id = row_text(row, 0, arena, failed), .rule = db_col_text(row, 1, arena, failed),
        .repository = db_col_text(row, 2, arena, failed), .cluster = db_col_text(row, 3, arena, failed),
        .namespace = db_col_text(row, 4, arena, failed), .workload = db_col_text(row, 5, arena, failed),
        .subject = db_col_text(row, 6, arena, failed), .reason = row_text(row, 7, arena, failed), .created_ms = db_col_i(row, 8),
        .created_by = row_text(row, 9, arena, failed), .expires_ms = db_col_i(row, 10), .revoked_ms = db_col_time(row, 11),
        .n_hits = db_col_i(row, 12),
    };
}

int suppression_insert(struct db *db, const struct suppression *s, struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_t(s->id), db_t(s->rule), db_t(s->repository), db_t(s->cluster), db_t(s->namespace),
                   db_t(s->workload), db_t(s->subject), db_t(s->reason), db_i(s->created_ms), db_t(s->created_by),
                   db_i(s->expires_ms)), NULL, err);
}

int suppression_get(struct db *db, const char *id, struct arena *arena, struct suppression *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(id)), arena, suppression_read, out, "suppression", err);
}

int suppression_list(struct db *db, const char *state, int64_t now_ms, int64_t before_ms, const char *before_id, int64_t limit,
                     struct arena *arena, struct suppression **out, size_t *n, struct err *err)
{
    return rows_list(db, &Q[Q_LIST], DB_IN(db_i(before_ms), db_t(before_id), db_i(now_ms), db_t(state), db_i(limit)), arena,
                     suppression_read, sizeof **out, (size_t)limit, (void **)out, n, err);
}

int suppression_list_active(struct db *db, int64_t now_ms, struct arena *arena, struct suppression **out, size_t *n, struct err *err)
{
    return rows_list(db, &Q[Q_ACTIVE], DB_IN(db_i(now_ms), db_i(SUPPRESSIONS_ACTIVE_MAX)), arena, suppression_read, sizeof **out,
                     SUPPRESSIONS_ACTIVE_MAX, (void **)out, n, err);
}

int suppression_count_active(struct db *db, int64_t now_ms, int64_t *n, struct err *err)
{
    return db_int(db, &Q[Q_COUNT], DB_IN(db_i(now_ms)), 0, n, err);
}

int suppression_revoke(struct db *db, const char *id, int64_t at_ms, bool *changed, struct err *err)
{
    int64_t n;

    if (db_exec(db, &Q[Q_REVOKE], DB_IN(db_i(at_ms), db_t(id)), &n, err) != 0)
        return -1;
    *changed = n == 1;
    return 0;
}

int suppression_hit(struct db *db, const char *id, int64_t n, struct err *err)
{
    return db_exec(db, &Q[Q_HIT], DB_IN(db_i(n), db_t(id)), NULL, err);
}
