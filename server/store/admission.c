/* admission.c - see admission.h. */
#include "store/admission.h"

#include "base/compress.h"
#include "store/rows.h"

enum { REVIEW_MAX = 1 << 20, REVIEW_RATIO = 1000 };

#define COLS "id, at_ms, cluster, namespace, kind, name, operation, username, uid, outcome, allowed, break_glass, reasons, images, " \
             "policy_version, CASE WHEN review IS NULL THEN 0 ELSE 1 END"
#define COLS_OUT "iitttttttiitttii"
#define PAGE "id < $1 AND ($2 IS NULL OR cluster = $2) AND ($3 IS NULL OR namespace = $3) AND ($4 IS NULL OR kind = $4)" \
             " AND ($5 IS NULL OR name = $5)"

enum { Q_INSERT, Q_LIST, Q_BY_OUTCOME, Q_REVIEWS, Q_LAST, Q_DROP_OLD, Q_DROP_MANY, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_INSERT] = { "admission.insert", "itttttttiitttib", "",
        "INSERT INTO admissions (id, at_ms, cluster, namespace, kind, name, operation, username, uid, outcome, allowed,"
        " break_glass, reasons, images, policy_version, review) SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8,"
        " $9, $10, $11, $12, $13, $14, $15 FROM admissions" },
    [Q_LIST] = { "admission.list", "itttti", COLS_OUT, "SELECT " COLS " FROM admissions WHERE " PAGE " ORDER BY id DESC LIMIT $6" },
    [Q_BY_OUTCOME] = { "admission.by_outcome", "ittttii", COLS_OUT,
        "SELECT " COLS " FROM admissions WHERE " PAGE " AND outcome = $6 ORDER BY id DESC LIMIT $7" },
    [Q_REVIEWS] = { "admission.reviews", "ii", COLS_OUT "b",
        "SELECT " COLS ", review FROM admissions WHERE id > $1 AND review IS NOT NULL ORDER BY id LIMIT $2" },
    [Q_LAST] = { "admission.last", "", "i", "SELECT MAX(id) FROM admissions" },
    [Q_DROP_OLD] = { "admission.drop_old", "ii", "",
        "DELETE FROM admissions WHERE id IN (SELECT id FROM admissions WHERE at_ms < $1 ORDER BY at_ms, id LIMIT $2)" },
    [Q_DROP_MANY] = { "admission.drop_many", "ii", "",
        "DELETE FROM admissions WHERE id IN (SELECT id FROM admissions WHERE id <= $1 ORDER BY id LIMIT $2)" },
};
const struct db_queries admission_queries = { Q, Q_N };

static void admission_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct admission *a = out;
    int c = 1;

    *a = (struct admission){ .id = db_col_i(row, 0), .at_ms = db_col_i(row, 1) };
    const char **texts[] = { &a->cluster, &a->namespace, &a->kind, &a->name, &a->operation, &a->username, &a->uid };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = row_text(row, ++c, arena, failed);
    a->outcome = (int)db_col_i(row, ++c);
    a->allowed = db_col_i(row, ++c) != 0;
    a->break_glass = db_col_text(row, ++c, arena, failed);
    a->reasons = row_text(row, ++c, arena, failed);
    a->images = row_text(row, ++c, arena, failed);
    a->policy_version = db_col_i(row, ++c);
    a->has_review = db_col_i(row, ++c) != 0;
}

static void review_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct admission *a = out;

    admission_read(row, arena, out, failed);
    a->review = row_bytes(row, 16, arena, failed);
}

int admission_insert(struct db *db, const struct admission *a, struct err *err)
{
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_i(a->at_ms), db_t(a->cluster), db_t(a->namespace), db_t(a->kind), db_t(a->name),
                   db_t(a->operation), db_t(a->username), db_t(a->uid), db_i(a->outcome), db_i(a->allowed ? 1 : 0),
                   db_t(a->break_glass), db_t(a->reasons), db_t(a->images), db_i(a->policy_version),
                   db_b(a->review.ptr, a->review.len)), NULL, err);
}

int admission_list(struct db *db, const struct admission_query *q, int64_t before, int64_t limit, struct arena *arena,
                   struct admission **out, size_t *n, struct err *err)
{
    void *items;
    const struct db_value common[] = { db_i(before), db_t(q->cluster), db_t(q->namespace), db_t(q->kind), db_t(q->name) };
    struct db_value in[7];

    for (size_t i = 0; i < N_ITEMS(common); i++)
        in[i] = common[i];
    bool all = q->outcome == 0;
    in[5] = all ? db_i(limit) : db_i(q->outcome - 1);
    in[6] = db_i(limit);
    if (rows_list(db, &Q[all ? Q_LIST : Q_BY_OUTCOME], in, all ? 6 : 7, arena, admission_read, sizeof **out, (size_t)limit,
                  &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

static int unpack(struct admission *a, struct arena *arena, struct err *err)
{
    const struct inflate_bounds bounds = { REVIEW_MAX, REVIEW_RATIO };
    struct buf b;

    buf_init(&b, REVIEW_MAX + 1);
    if (zstd_inflate(a->review.ptr, a->review.len, bounds, &b, err) != 0)
        return buf_free(&b), err_prefix(err, "admission %lld", (long long)a->id);
    const char *copy = arena_strndup(arena, b.ptr, b.len);
    a->review = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    return copy != NULL ? 0 : err_nomem(err);
}

int admission_list_reviews(struct db *db, int64_t after, int64_t limit, struct arena *arena, struct admission **out, size_t *n,
                           struct err *err)
{
    struct admission *list;
    void *items;

    if (rows_list(db, &Q[Q_REVIEWS], DB_IN(db_i(after), db_i(limit)), arena, review_read, sizeof **out, (size_t)limit, &items, n,
                  err) != 0)
        return -1;
    list = items;
    for (size_t i = 0; i < *n; i++) {
        if (unpack(&list[i], arena, err) != 0)
            return -1;
    }
    *out = list;
    return 0;
}

int admission_retain(struct db *db, int64_t before_ms, int64_t keep, int64_t limit, int64_t *dropped, struct err *err)
{
    int64_t last, old = 0, many = 0;

    if (db_int(db, &Q[Q_LAST], DB_NONE, 0, &last, err) != 0 ||
        db_exec(db, &Q[Q_DROP_OLD], DB_IN(db_i(before_ms), db_i(limit)), &old, err) != 0 ||
        db_exec(db, &Q[Q_DROP_MANY], DB_IN(db_i(last - keep), db_i(limit)), &many, err) != 0)
        return -1;
    *dropped = old + many;
    return 0;
}
