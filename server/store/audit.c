/* audit.c - see audit.h.
 *
 * The record is JSON with its keys always there and always in this order, so
 * that the same entry always has the same bytes. */
#include "store/audit.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/time.h"
#include "store/rows.h"
#include "store/text_list.h"

#include <inttypes.h>

#define COLS "seq, record, leaf"
#define PAGE "seq < $1 AND ($2 IS NULL OR action = $2)"
#define LAST_FIRST " ORDER BY seq DESC LIMIT "

enum { Q_LAST, Q_APPEND, Q_RECORD, Q_LIST, Q_BY_ACTOR, Q_BY_KIND, Q_BY_OBJECT, Q_WALK, Q_N };
static const struct db_query Q[] = {
    [Q_LAST]   = { "audit.last", "", "i", "SELECT MAX(seq) FROM audit" },
    [Q_APPEND] = { "audit.append", "iittttbb", "",
        "INSERT INTO audit (seq, at_ms, actor, action, object_kind, object_id, record, leaf)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" },
    [Q_RECORD] = { "audit.record", "i", "ibb", "SELECT " COLS " FROM audit WHERE seq = $1" },
    [Q_LIST]   = { "audit.list", "iti", "ibb", "SELECT " COLS " FROM audit WHERE " PAGE LAST_FIRST "$3" },
    [Q_BY_ACTOR] = { "audit.by_actor", "ittti", "ibb",
        "SELECT " COLS " FROM audit WHERE " PAGE " AND actor = $3 AND ($4 IS NULL OR object_kind = $4)"
        LAST_FIRST "$5" },
    [Q_BY_KIND] = { "audit.by_kind", "itti", "ibb",
        "SELECT " COLS " FROM audit WHERE " PAGE " AND object_kind = $3" LAST_FIRST "$4" },
    [Q_BY_OBJECT] = { "audit.by_object", "itttti", "ibb",
        "SELECT " COLS " FROM audit WHERE " PAGE " AND object_kind = $3 AND object_id = $4"
        " AND ($5 IS NULL OR actor = $5)" LAST_FIRST "$6" },
    [Q_WALK]   = { "audit.walk", "i", "ibb", "SELECT " COLS " FROM audit WHERE seq >= $1 ORDER BY seq" },
};
const struct db_queries audit_queries = { Q, Q_N };

void audit_leaf(const void *record, size_t len, uint8_t leaf[AUDIT_LEAF_LEN])
{
    struct sha256 s;
    static const uint8_t leaf_prefix = 0;

    sha256_init(&s);
    sha256_add(&s, &leaf_prefix, 1);
    sha256_add(&s, record, len);
    sha256_done(&s, leaf);
}

static void put_text(struct buf *b, const char *key, const char *value)
{
    buf_printf(b, ",\"%s\":", key);
    text_put_json(b, value == NULL ? "" : value);
}

static void put_json(struct buf *b, const char *key, const char *json)
{
    buf_printf(b, ",\"%s\":", key);
    buf_puts(b, json == NULL ? "null" : json);
}

static void record_put(struct buf *b, const struct audit_entry *e, int64_t seq)
{
    char at[TIME_TEXT];

    time_format(e->at_ms, at);
    buf_printf(b, "{\"seq\":%" PRId64, seq);
    put_text(b, "at", at);
    put_text(b, "actor", e->actor);
    put_text(b, "actor_name", e->actor_name);
    put_text(b, "role", e->role);
    put_text(b, "from", e->from);
    put_text(b, "action", e->action);
    put_text(b, "object_kind", e->object_kind);
    put_text(b, "object_id", e->object_id);
    put_json(b, "before", e->before);
    put_json(b, "after", e->after);
    put_text(b, "request_id", e->request_id);
    buf_putc(b, '}');
}

int audit_append(struct db *db, const struct audit_entry *e, struct err *err)
{
    uint8_t leaf[AUDIT_LEAF_LEN];
    struct buf b;
    int64_t last;

    if (audit_last(db, &last, err) != 0)
        return -1;
    buf_init(&b, AUDIT_RECORD_MAX);
    record_put(&b, e, last + 1);
    if (b.failed) {
        buf_free(&b);
        return err_set(err, ERR_TOO_LARGE, "audit record of %s %s is too large", e->action, e->object_kind);
    }
    audit_leaf(b.ptr, b.len, leaf);
    int rc = db_exec(db, &Q[Q_APPEND], DB_IN(db_i(last + 1), db_i(e->at_ms), db_t(e->actor), db_t(e->action),
                     db_t(e->object_kind), db_t(e->object_id), db_b(b.ptr, b.len), db_b(leaf, sizeof leaf)),
                     NULL, err);
    buf_free(&b);
    return rc;
}

static void audit_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct audit_row *a = out;
    struct bytes leaf = db_col_b(row, 2);

    *a = (struct audit_row){ .seq = db_col_i(row, 0), .record = row_bytes(row, 1, arena, failed) };
    if (leaf.len == AUDIT_LEAF_LEN)
        hex_encode(leaf.ptr, leaf.len, a->leaf);
}

static int list(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in, int64_t limit,
                struct arena *arena, struct audit_row **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, q, in, n_in, arena, audit_read, sizeof **out, (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

/* A query per index: one query for all filters would walk the whole log. */
int audit_list(struct db *db, const struct audit_filter *f, int64_t before, int64_t limit, struct arena *arena,
               struct audit_row **out, size_t *n, struct err *err)
{
    struct db_value page = db_i(before), action = db_t(f->action), max = db_i(limit);

    if (f->object_id != NULL && f->object_kind == NULL)
        return err_set(err, ERR_INVALID, "query.kind: needed to look for an object");
    if (f->object_id != NULL)
        return list(db, &Q[Q_BY_OBJECT], DB_IN(page, action, db_t(f->object_kind), db_t(f->object_id),
                    db_t(f->actor), max), limit, arena, out, n, err);
    if (f->actor != NULL)
        return list(db, &Q[Q_BY_ACTOR], DB_IN(page, action, db_t(f->actor), db_t(f->object_kind), max),
                    limit, arena, out, n, err);
    if (f->object_kind != NULL)
        return list(db, &Q[Q_BY_KIND], DB_IN(page, action, db_t(f->object_kind), max), limit, arena, out, n, err);
    return list(db, &Q[Q_LIST], DB_IN(page, action, max), limit, arena, out, n, err);
}

int audit_record(struct db *db, int64_t seq, struct arena *arena, struct audit_row *out, struct err *err)
{
    return row_get(db, &Q[Q_RECORD], DB_IN(db_i(seq)), arena, audit_read, out, "audit record", err);
}

int audit_last(struct db *db, int64_t *seq, struct err *err)
{
    return db_int(db, &Q[Q_LAST], DB_NONE, 0, seq, err);
}

int audit_walk(struct db *db, int64_t from, audit_visit_fn *visit, void *arg, struct err *err)
{
    struct db_rows rows = { 0 };
    int rc;

    if (db_rows_open(db, &Q[Q_WALK], DB_IN(db_i(from)), &rows, err) != 0)
        return -1;
    while ((rc = db_rows_next(&rows, err)) > 0) {
        if (visit(arg, db_col_i(&rows, 0), db_col_b(&rows, 1), db_col_b(&rows, 2), err) != 0) {
            rc = -1;
            break;
        }
    }
    db_rows_close(&rows);
    return rc < 0 ? -1 : 0;
}
