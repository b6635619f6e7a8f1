/* event.c - see event.h: the rows of events. */
#include "store/event.h"

#include "base/time.h"
#include "store/list.h"
#include "store/rows.h"
#include "wire/json.h"

#include <string.h>

#define COLS "e.id, e.node, e.seq, e.at_ms, e.kind, e.severity, e.image_id, e.image_by, e.alert_id, e.document," \
             " n.node_id, n.name, i.digest, r.name"
#define COLS_OUT "iiiiiiiiibtttt"
#define FROM " FROM events e LEFT JOIN nodes n ON n.id = e.node LEFT JOIN images i ON i.id = e.image_id" \
             " LEFT JOIN repositories r ON r.id = i.repository_id"

#define EIGHT(s) s s s s s s s s

enum { CHUNK = 500, AT_ONCE = 8, ROW_VALUES = 11, SCRATCH = 1 << 20 };

enum { Q_LAST, Q_INSERT, Q_INSERT_8, Q_HAS_KEY, Q_MARK_LAST, Q_MARK, Q_GET, Q_BY_TIME, Q_BY_IMAGE, Q_BY_ALERT, Q_OLDEST, Q_MARKS, Q_DROP,
       Q_DROP_MARKS, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_LAST] = { "event.last", "", "i", "SELECT MAX(id) FROM events" },
    [Q_INSERT] = { "event.insert", "iiiiiiiiibb", "",
        "INSERT INTO events (id, node, seq, at_ms, kind, severity, image_id, image_by, alert_id, source_key, document)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)" },
    /* Eight at once: a round trip to PostgreSQL costs more than the row. */
    [Q_INSERT_8] = { "event.insert_8", EIGHT("iiiiiiiiibb"), "",
        "INSERT INTO events (id, node, seq, at_ms, kind, severity, image_id, image_by, alert_id, source_key, document) VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ", ($12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
        ", ($23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"
        ", ($34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44)"
        ", ($45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55)"
        ", ($56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66)"
        ", ($67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77)"
        ", ($78, $79, $80, $81, $82, $83, $84, $85, $86, $87, $88)" },
    [Q_HAS_KEY] = { "event.has_key", "b", "i", "SELECT id FROM events WHERE source_key = $1" },
    [Q_MARK_LAST] = { "event.mark_last", "", "ii", "SELECT id, at_ms FROM event_marks WHERE id > 0 ORDER BY id DESC LIMIT 1" },
    [Q_MARK] = { "event.mark", "ii", "", "INSERT INTO event_marks (id, at_ms) VALUES ($1, $2)" },
    [Q_GET] = { "event.get", "i", COLS_OUT, "SELECT " COLS FROM " WHERE e.id = $1" },
    [Q_BY_TIME] = { "event.by_time", "iiii", COLS_OUT,
        "SELECT " COLS FROM " WHERE (e.at_ms, e.id) < ($1, $2) AND e.at_ms >= $3 ORDER BY e.at_ms DESC, e.id DESC LIMIT $4" },
    [Q_BY_IMAGE] = { "event.by_image", "iiiii", COLS_OUT,
        "SELECT " COLS FROM " WHERE (e.at_ms, e.id) < ($1, $2) AND e.at_ms >= $3 AND e.image_id = $4"
        " ORDER BY e.at_ms DESC, e.id DESC LIMIT $5" },
    [Q_BY_ALERT] = { "event.by_alert", "iii", COLS_OUT,
        "SELECT " COLS FROM " WHERE e.id < $1 AND e.alert_id = $2 ORDER BY e.id DESC LIMIT $3" },
    [Q_OLDEST] = { "event.oldest", "", "i", "SELECT MIN(id) FROM events" },
    [Q_MARKS] = { "event.marks", "", "ii", "SELECT id, at_ms FROM event_marks WHERE id > 0 ORDER BY id LIMIT 2" },
    [Q_DROP] = { "event.drop", "ii", "", "DELETE FROM events WHERE id >= $1 AND id < $2" },
    [Q_DROP_MARKS] = { "event.drop_marks", "i", "",
        "DELETE FROM event_marks WHERE id < (SELECT MAX(id) FROM event_marks WHERE id <= $1)" },
};
const struct db_queries event_queries = { Q, Q_N };

/* ---- adding ----------------------------------------------------------------------- */

int event_last(struct db *db, int64_t *id, struct err *err)
{
    return db_int(db, &Q[Q_LAST], DB_NONE, 0, id, err);
}

static struct db_value id_or_null(int64_t id)
{
    return id != 0 ? db_i(id) : db_i_null();
}

static void row_values(const struct event_row *e, struct db_value out[ROW_VALUES])
{
    const struct db_value values[ROW_VALUES] = {
        db_i(e->id), db_i(e->node), db_i(e->seq), db_i(e->at_ms), db_i(e->kind), db_i(e->severity), id_or_null(e->image_id),
        db_i(e->image_by), id_or_null(e->alert_id), db_b(e->source_key, e->source_key != NULL ? EVENT_KEY_LEN : 0),
        db_b(e->document.ptr, e->document.len),
    };

    memcpy(out, values, sizeof values);
}

int event_insert(struct db *db, const struct event_row *rows, size_t n, struct err *err)
{
    struct db_value in[AT_ONCE * ROW_VALUES];
    size_t i = 0;

    for (; db_is_postgres(db) && i + AT_ONCE <= n; i += AT_ONCE) {
        for (size_t k = 0; k < AT_ONCE; k++)
            row_values(&rows[i + k], in + k * ROW_VALUES);
        if (db_exec(db, &Q[Q_INSERT_8], in, AT_ONCE * ROW_VALUES, NULL, err) != 0)
            return -1;
    }
    for (; i < n; i++) {
        row_values(&rows[i], in);
        if (db_exec(db, &Q[Q_INSERT], in, ROW_VALUES, NULL, err) != 0)
            return -1;
    }
    return 0;
}

int event_has_key(struct db *db, const unsigned char key[EVENT_KEY_LEN], bool *has, struct err *err)
{
    int64_t id;

    if (db_int(db, &Q[Q_HAS_KEY], DB_IN(db_b(key, EVENT_KEY_LEN)), 0, &id, err) != 0)
        return -1;
    *has = id != 0;
    return 0;
}

int event_mark(struct db *db, int64_t first_id, int64_t now_ms, struct err *err)
{
    struct db_rows row = { 0 };
    int64_t id = 0, at_ms = INT64_MIN;
    int rc = db_row(db, &Q[Q_MARK_LAST], DB_NONE, &row, err);

    if (rc < 0)
        return -1;
    if (rc == 1) {
        id = db_col_i(&row, 0);
        at_ms = db_col_i(&row, 1);
        db_rows_close(&row);
    }
    if (first_id <= id || (rc == 1 && now_ms < at_ms + MS_MINUTE))
        return 0;
    return db_exec(db, &Q[Q_MARK], DB_IN(db_i(first_id), db_i(now_ms)), NULL, err);
}

/* ---- reading ------------------------------------------------------------------------- */

static void event_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct event_shown *e = out;

    *e = (struct event_shown){
        .row = { .id = db_col_i(row, 0), .node = db_col_i(row, 1), .seq = db_col_i(row, 2), .at_ms = db_col_i(row, 3),
                 .kind = (int)db_col_i(row, 4), .severity = (int)db_col_i(row, 5), .image_id = db_col_i(row, 6),
                 .image_by = (int)db_col_i(row, 7), .alert_id = db_col_i(row, 8), .document = row_bytes(row, 9, arena, failed) },
        .node_id = db_col_text(row, 10, arena, failed),
        .node_name = db_col_text(row, 11, arena, failed),
        .digest = db_col_text(row, 12, arena, failed),
        .repository = db_col_text(row, 13, arena, failed),
    };
}

int event_get(struct db *db, int64_t id, struct arena *arena, struct event_shown *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_i(id)), arena, event_read, out, "event", err);
}

/* The id of the container, read from the document. */
static bool is_of_container(struct bytes document, const char *container, struct arena *scratch)
{
    struct err ignored = { 0 };
    struct json doc;

    arena_reset(scratch);
    if (json_parse(scratch, document.ptr, document.len, NULL, &doc, &ignored) != 0)
        return false;
    return str_starts(json_str(json_path(&doc, "container.id"), ""), container);
}

static bool passes(const struct event_filter *f, const struct db_rows *row, struct arena *scratch)
{
    if (f->node != 0 && db_col_i(row, 1) != f->node)
        return false;
    if (f->since_ms != TIME_UNKNOWN && db_col_i(row, 3) < f->since_ms)
        return false;
    if (f->kind >= 0 && db_col_i(row, 4) != f->kind)
        return false;
    if (f->severity >= 0 && db_col_i(row, 5) > f->severity)
        return false;
    if (f->image_id != 0 && db_col_i(row, 6) != f->image_id)
        return false;
    return f->container == NULL || is_of_container(db_col_b(row, 9), f->container, scratch);
}

struct walk {
    const struct event_filter *f;
    struct list list;
    struct arena scratch;
    int64_t at_ms, id, examined;         /* the last row seen */
    bool is_end, is_full;
};

static int open_chunk(struct db *db, const struct walk *w, int64_t n, struct db_rows *rows, struct err *err)
{
    const struct event_filter *f = w->f;
    int64_t since = f->since_ms == TIME_UNKNOWN ? INT64_MIN + 1 : f->since_ms;

    if (f->alert_id != 0)
        return db_rows_open(db, &Q[Q_BY_ALERT], DB_IN(db_i(w->id), db_i(f->alert_id), db_i(n)), rows, err);
    if (f->image_id != 0)
        return db_rows_open(db, &Q[Q_BY_IMAGE], DB_IN(db_i(w->at_ms), db_i(w->id), db_i(since), db_i(f->image_id), db_i(n)), rows, err);
    return db_rows_open(db, &Q[Q_BY_TIME], DB_IN(db_i(w->at_ms), db_i(w->id), db_i(since), db_i(n)), rows, err);
}

static int walk_chunk(struct db *db, struct walk *w, struct err *err)
{
    struct db_rows rows = { 0 };
    int64_t n = 0;
    int rc = 0;

    if (open_chunk(db, w, CHUNK, &rows, err) != 0)
        return -1;
    while (!w->is_full && (rc = db_rows_next(&rows, err)) == 1) {
        n++;
        w->id = db_col_i(&rows, 0);
        w->at_ms = db_col_i(&rows, 3);
        if (!passes(w->f, &rows, &w->scratch))
            continue;
        void *item = list_add(&w->list);
        if (item != NULL)
            event_read(&rows, w->list.arena, item, &w->list.failed);
        w->is_full = w->list.failed || (int64_t)w->list.n >= w->f->limit;
    }
    db_rows_close(&rows);
    if (!w->is_full && rc < 0)
        return -1;
    w->examined += n;
    w->is_end = !w->is_full && n < CHUNK;
    return 0;
}

int event_list(struct db *db, const struct event_filter *f, struct arena *arena, struct event_shown **out, size_t *n,
               int64_t *next_ms, int64_t *next_id, struct err *err)
{
    struct walk w = { .f = f, .list = LIST_OF(struct event_shown, arena), .at_ms = f->before_ms, .id = f->before_id };
    void *items;

    arena_init(&w.scratch, SCRATCH);
    int rc = 0;
    while (rc == 0 && !w.is_end && !w.is_full && w.examined < f->examine)
        rc = walk_chunk(db, &w, err);
    arena_clear(&w.scratch);
    if (rc != 0 || list_done(&w.list, 0, &items, n, err) != 0)
        return -1;
    *out = items;
    *next_ms = w.is_end ? 0 : w.at_ms;
    *next_id = w.is_end ? 0 : w.id;
    return 0;
}

/* ---- retention ------------------------------------------------------------------------- */

/* All before this id were recorded before before_ms; 0: none. */
static int old_until(struct db *db, int64_t before_ms, int64_t *id, struct err *err)
{
    struct db_rows rows = { 0 };
    int rc;

    *id = 0;
    if (db_rows_open(db, &Q[Q_MARKS], DB_NONE, &rows, err) != 0)
        return -1;
    for (int i = 0; (rc = db_rows_next(&rows, err)) == 1; i++) {
        if (i == 1 && db_col_i(&rows, 1) <= before_ms)
            *id = db_col_i(&rows, 0);
    }
    db_rows_close(&rows);
    return rc;
}

int event_retain(struct db *db, int64_t before_ms, int64_t keep, int64_t portion, int64_t *dropped, struct err *err)
{
    int64_t first, last, old;

    *dropped = 0;
    if (db_int(db, &Q[Q_OLDEST], DB_NONE, 0, &first, err) != 0 || event_last(db, &last, err) != 0 ||
        old_until(db, before_ms, &old, err) != 0)
        return -1;
    int64_t until = last - keep + 1 > old ? last - keep + 1 : old;
    if (first == 0 || until <= first)
        return 0;
    if (until > first + portion)
        until = first + portion;
    return db_exec(db, &Q[Q_DROP], DB_IN(db_i(first), db_i(until)), dropped, err) != 0 ||
           db_exec(db, &Q[Q_DROP_MARKS], DB_IN(db_i(until)), NULL, err) != 0 ? -1 : 0;
}
