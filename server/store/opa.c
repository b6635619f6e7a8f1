/* opa.c - see opa.h. */
#include "store/opa.h"

#include "store/rows.h"

#define STATUS_COLS "instance, partition, version, seen_ms, revision, problem, document"
#define DECISION_COLS "id, decision_id, at_ms, received_ms, instance, partition, path, revision, requested_by, input, result"

enum {
    Q_STATUS_PUT, Q_STATUS_LIST, Q_STATUS_DROP, Q_DECISION_ADD, Q_DECISION_LIST, Q_DECISION_LAST, Q_DROP_OLD, Q_DROP_MANY,
    Q_VERDICTS_CHANGED, Q_TAGS, Q_REASONS, Q_N
};
static const struct db_query Q[Q_N] = {
    [Q_STATUS_PUT] = { "opa.status_put", "tttittt", "",
        "INSERT INTO opa_status (" STATUS_COLS ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (instance) DO UPDATE SET"
        " partition = excluded.partition, version = excluded.version, seen_ms = excluded.seen_ms, revision = excluded.revision,"
        " problem = excluded.problem, document = excluded.document WHERE opa_status.seen_ms <= excluded.seen_ms" },
    [Q_STATUS_LIST] = { "opa.status_list", "iti", "tttittt",
        "SELECT " STATUS_COLS " FROM opa_status WHERE (seen_ms, instance) < ($1, $2) ORDER BY seen_ms DESC, instance DESC LIMIT $3" },
    [Q_STATUS_DROP] = { "opa.status_drop", "ii", "",
        "DELETE FROM opa_status WHERE instance IN (SELECT instance FROM opa_status WHERE seen_ms < $1 ORDER BY seen_ms LIMIT $2)" },
    [Q_DECISION_ADD] = { "opa.decision_add", "tiittttttt", "",
        "INSERT INTO opa_decisions (" DECISION_COLS ") SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10"
        " FROM opa_decisions WHERE 1 = 1 ON CONFLICT (decision_id) DO NOTHING" },
    [Q_DECISION_LIST] = { "opa.decision_list", "itti", "itiittttttt",
        "SELECT " DECISION_COLS " FROM opa_decisions WHERE id < $1 AND ($2 IS NULL OR instance = $2) AND ($3 IS NULL OR path = $3)"
        " ORDER BY id DESC LIMIT $4" },
    [Q_DECISION_LAST] = { "opa.decision_last", "", "i", "SELECT MAX(id) FROM opa_decisions" },
    [Q_DROP_OLD] = { "opa.decision_drop_old", "ii", "",
        "DELETE FROM opa_decisions WHERE id IN (SELECT id FROM opa_decisions WHERE received_ms < $1 ORDER BY received_ms, id LIMIT $2)" },
    [Q_DROP_MANY] = { "opa.decision_drop_many", "ii", "",
        "DELETE FROM opa_decisions WHERE id IN (SELECT id FROM opa_decisions WHERE id <= $1 ORDER BY id LIMIT $2)" },
    [Q_VERDICTS_CHANGED] = { "opa.verdicts_changed", "", "i", "SELECT MAX(at_ms) FROM verdicts" },
    [Q_TAGS] = { "opa.tags", "", "it",
        "SELECT t.image_id, r.name || ':' || t.tag FROM image_tags t JOIN repositories r ON r.id = t.repository_id"
        " ORDER BY t.image_id, t.seen_ms, r.name, t.tag" },
    [Q_REASONS] = { "opa.reasons", "", "it",
        "SELECT i.id, v.reasons FROM images i JOIN verdicts v ON v.image_id = i.id AND v.at_ms ="
        " (SELECT MAX(x.at_ms) FROM verdicts x WHERE x.image_id = i.id) WHERE i.verdict <> 3 ORDER BY i.id" },
};
const struct db_queries opa_queries = { Q, Q_N };

/* ---- status --------------------------------------------------------------------- */

int opa_status_put(struct db *db, const struct opa_status *s, struct err *err)
{
    return db_exec(db, &Q[Q_STATUS_PUT], DB_IN(db_t(s->instance), db_t(s->partition), db_t(s->version), db_i(s->seen_ms),
                   db_t(s->revision), db_t(s->problem), db_t(s->document)), NULL, err);
}

static void status_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct opa_status *s = out;

    *s = (struct opa_status){
        .instance = row_text(row, 0, arena, failed), .partition = row_text(row, 1, arena, failed),
        .version = row_text(row, 2, arena, failed), .seen_ms = db_col_i(row, 3), .revision = row_text(row, 4, arena, failed),
        .problem = row_text(row, 5, arena, failed), .document = row_text(row, 6, arena, failed),
    };
}

int opa_status_list(struct db *db, int64_t before_ms, const char *before, int64_t limit, struct arena *arena,
                    struct opa_status **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_STATUS_LIST], DB_IN(db_i(before_ms), db_t(before), db_i(limit)), arena, status_read, sizeof **out,
                  (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

/* ---- decisions --------------------------------------------------------------------- */

int opa_decision_insert(struct db *db, const struct opa_decision *d, int64_t *is_new, struct err *err)
{
    return db_exec(db, &Q[Q_DECISION_ADD], DB_IN(db_t(d->decision_id), db_i(d->at_ms), db_i(d->received_ms), db_t(d->instance),
                   db_t(d->partition), db_t(d->path), db_t(d->revision), db_t(d->requested_by), db_t(d->input), db_t(d->result)),
                   is_new, err);
}

static void decision_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct opa_decision *d = out;

    *d = (struct opa_decision){
        .id = db_col_i(row, 0), .decision_id = row_text(row, 1, arena, failed), .at_ms = db_col_i(row, 2),
        .received_ms = db_col_i(row, 3), .instance = row_text(row, 4, arena, failed), .partition = row_text(row, 5, arena, failed),
        .path = row_text(row, 6, arena, failed), .revision = row_text(row, 7, arena, failed),
        .requested_by = row_text(row, 8, arena, failed), .input = db_col_text(row, 9, arena, failed),
        .result = db_col_text(row, 10, arena, failed),
    };
}

int opa_decision_list(struct db *db, const struct opa_decision_query *q, int64_t before, int64_t limit, struct arena *arena,
                      struct opa_decision **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_DECISION_LIST], DB_IN(db_i(before), db_t(q->instance), db_t(q->path), db_i(limit)), arena, decision_read,
                  sizeof **out, (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int opa_retain(struct db *db, int64_t before_ms, int64_t keep, int64_t limit, int64_t *dropped, struct err *err)
{
    int64_t last, old = 0, many = 0, silent = 0;

    if (db_int(db, &Q[Q_DECISION_LAST], DB_NONE, 0, &last, err) != 0 ||
        db_exec(db, &Q[Q_DROP_OLD], DB_IN(db_i(before_ms), db_i(limit)), &old, err) != 0 ||
        db_exec(db, &Q[Q_DROP_MANY], DB_IN(db_i(last - keep), db_i(limit)), &many, err) != 0 ||
        db_exec(db, &Q[Q_STATUS_DROP], DB_IN(db_i(before_ms), db_i(limit)), &silent, err) != 0)
        return -1;
    *dropped = old + many + silent;
    return 0;
}

/* ---- what bundles are made of --------------------------------------------------------- */

int opa_verdicts_changed(struct db *db, int64_t *at_ms, struct err *err)
{
    return db_int(db, &Q[Q_VERDICTS_CHANGED], DB_NONE, 0, at_ms, err);
}

static void text_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct opa_text *t = out;

    *t = (struct opa_text){ db_col_i(row, 0), row_text(row, 1, arena, failed) };
}

int opa_all_tags(struct db *db, struct arena *arena, struct opa_text **out, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_TAGS], DB_NONE, arena, text_read, sizeof **out, (void **)out, n, err);
}

int opa_all_reasons(struct db *db, struct arena *arena, struct opa_text **out, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_REASONS], DB_NONE, arena, text_read, sizeof **out, (void **)out, n, err);
}
