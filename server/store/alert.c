/* alert.c - see alert.h. */
#include "store/alert.h"

#include "base/time.h"
#include "store/list.h"
#include "store/rows.h"

#include <string.h>

#define COLS "a.id, a.dedupe, a.state, a.rule, a.rule_kind, a.subject, a.base_severity, a.severity, a.title, a.image_id, a.repository," \
             " a.digest, a.cluster, a.namespace, a.workload, a.node, a.n, a.n_denied, a.episode, a.first_ms, a.last_ms, a.changed_ms," \
             " a.changed_by, a.note, a.newest, a.story, n.node_id, n.name"
#define COLS_OUT "itititiititttttiiiiiiitttttt"
#define FROM " FROM alerts a LEFT JOIN nodes n ON n.id = a.node"

enum { CHUNK = 500 };

enum { Q_LAST, Q_FIND, Q_INSERT, Q_UPDATE, Q_SET_STATE, Q_GET, Q_LIST, Q_BY_STATE, Q_DROP, Q_COUNT_OPEN, Q_GROUPS, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_LAST] = { "alert.last", "", "i", "SELECT MAX(id) FROM alerts" },
    [Q_FIND] = { "alert.find", "t", COLS_OUT, "SELECT " COLS FROM " WHERE a.dedupe = $1" },
    [Q_INSERT] = { "alert.insert", "itititiititttttiiiiiiitttt", "",
        "INSERT INTO alerts (id, dedupe, state, rule, rule_kind, subject, base_severity, severity, title, image_id, repository, digest,"
        " cluster, namespace, workload, node, n, n_denied, episode, first_ms, last_ms, changed_ms, changed_by, note, newest, story)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)" },
    [Q_UPDATE] = { "alert.update", "iiititiiiiiitttti", "",
        "UPDATE alerts SET state = $1, base_severity = $2, severity = $3, title = $4, image_id = $5, digest = $6, node = $7, n = $8,"
        " n_denied = $9, episode = $10, last_ms = $11, changed_ms = $12, changed_by = $13, note = $14, newest = $15, story = $16"
        " WHERE id = $17" },
    [Q_SET_STATE] = { "alert.set_state", "iitti", "",
        "UPDATE alerts SET state = $1, changed_ms = $2, changed_by = $3, note = $4 WHERE id = $5" },
    [Q_GET] = { "alert.get", "i", COLS_OUT, "SELECT " COLS FROM " WHERE a.id = $1" },
    [Q_LIST] = { "alert.list", "iii", COLS_OUT,
        "SELECT " COLS FROM " WHERE (a.last_ms, a.id) < ($1, $2) ORDER BY a.last_ms DESC, a.id DESC LIMIT $3" },
    [Q_BY_STATE] = { "alert.by_state", "iiii", COLS_OUT,
        "SELECT " COLS FROM " WHERE (a.last_ms, a.id) < ($1, $2) AND a.state = $3 ORDER BY a.last_ms DESC, a.id DESC LIMIT $4" },
    [Q_DROP] = { "alert.drop", "iii", "",
        "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE state = $1 AND last_ms < $2 ORDER BY last_ms, id LIMIT $3)" },
    [Q_GROUPS] = { "alert.groups", "iii", "ttiiiiiiii",
        "SELECT rule, repository, MIN(rule_kind), MIN(severity), COUNT(*), CAST(SUM(CASE WHEN state = $1 THEN 1 ELSE 0 END) AS BIGINT),"
        " CAST(SUM(n) AS BIGINT), MIN(first_ms), MAX(last_ms), MAX(id) FROM alerts WHERE state IN ($1, $2) GROUP BY rule, repository"
        " ORDER BY MIN(severity), MAX(last_ms) DESC, rule, repository LIMIT $3" },
    [Q_COUNT_OPEN] = { "alert.count_open", "i", "ii", "SELECT severity, COUNT(*) FROM alerts WHERE state = $1 GROUP BY severity" },
};
const struct db_queries alert_queries = { Q, Q_N };

static void alert_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct alert_row *a = out;

    *a = (struct alert_row){
        .id = db_col_i(row, 0), .dedupe = row_text(row, 1, arena, failed), .state = (int)db_col_i(row, 2),
        .rule = row_text(row, 3, arena, failed), .rule_kind = (int)db_col_i(row, 4), .subject = row_text(row, 5, arena, failed),
        .base_severity = (int)db_col_i(row, 6), .severity = (int)db_col_i(row, 7), .title = row_text(row, 8, arena, failed),
        .image_id = db_col_i(row, 9), .repository = row_text(row, 10, arena, failed), .digest = row_text(row, 11, arena, failed),
        .cluster = row_text(row, 12, arena, failed), .namespace = row_text(row, 13, arena, failed),
        .workload = row_text(row, 14, arena, failed), .node = db_col_i(row, 15), .n = db_col_i(row, 16), .n_denied = db_col_i(row, 17),
        .episode = db_col_i(row, 18), .first_ms = db_col_i(row, 19), .last_ms = db_col_i(row, 20), .changed_ms = db_col_i(row, 21),
        .changed_by = row_text(row, 22, arena, failed), .note = row_text(row, 23, arena, failed),
        .newest = row_text(row, 24, arena, failed), .story = row_text(row, 25, arena, failed),
        .node_id = db_col_text(row, 26, arena, failed), .node_name = db_col_text(row, 27, arena, failed),
    };
}

int alert_find(struct db *db, const char *dedupe, struct arena *arena, struct alert_row *out, struct err *err)
{
    struct db_rows row = { 0 };
    bool failed = false;
    int rc = db_row(db, &Q[Q_FIND], DB_IN(db_t(dedupe)), &row, err);

    if (rc != 1)
        return rc;
    alert_read(&row, arena, out, &failed);
    db_rows_close(&row);
    return failed ? err_nomem(err) : 1;
}

int alert_get(struct db *db, int64_t id, struct arena *arena, struct alert_row *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_i(id)), arena, alert_read, out, "alert", err);
}

static struct db_value image_or_null(int64_t id)
{
    return id != 0 ? db_i(id) : db_i_null();
}

int alert_insert(struct db *db, struct alert_row *a, struct err *err)
{
    int64_t last;

    if (db_int(db, &Q[Q_LAST], DB_NONE, 0, &last, err) != 0)
        return -1;
    a->id = last + 1;
    return db_exec(db, &Q[Q_INSERT], DB_IN(db_i(a->id), db_t(a->dedupe), db_i(a->state), db_t(a->rule), db_i(a->rule_kind),
                   db_t(a->subject), db_i(a->base_severity), db_i(a->severity), db_t(a->title), image_or_null(a->image_id),
                   db_t(a->repository), db_t(a->digest), db_t(a->cluster), db_t(a->namespace), db_t(a->workload), db_i(a->node),
                   db_i(a->n), db_i(a->n_denied), db_i(a->episode), db_i(a->first_ms), db_i(a->last_ms), db_i(a->changed_ms),
                   db_t(a->changed_by), db_t(a->note), db_t(a->newest), db_t(a->story)), NULL, err);
}

int alert_update(struct db *db, const struct alert_row *a, struct err *err)
{
    return db_exec(db, &Q[Q_UPDATE], DB_IN(db_i(a->state), db_i(a->base_severity), db_i(a->severity), db_t(a->title),
                   image_or_null(a->image_id), db_t(a->digest), db_i(a->node), db_i(a->n), db_i(a->n_denied), db_i(a->episode),
                   db_i(a->last_ms), db_i(a->changed_ms), db_t(a->changed_by), db_t(a->note), db_t(a->newest), db_t(a->story),
                   db_i(a->id)), NULL, err);
}

/* ---- states -------------------------------------------------------------------------- */

/* Which may follow which.  From resolved to open also leads an event (alert_update). */
static const bool may_follow[ALERT_STATE_N][ALERT_STATE_N] = {
    [ALERT_OPEN] = { [ALERT_ACKNOWLEDGED] = true, [ALERT_RESOLVED] = true },
    [ALERT_ACKNOWLEDGED] = { [ALERT_OPEN] = true, [ALERT_RESOLVED] = true },
    [ALERT_RESOLVED] = { [ALERT_OPEN] = true },
};

int alert_set_state(struct db *db, int64_t id, int state, const char *by, const char *note, int64_t now_ms, struct err *err)
{
    static const char *const words[] = { "open", "acknowledged", "resolved" };
    struct arena arena;
    struct alert_row now;

    arena_init(&arena, 1 << 20);
    int rc = alert_get(db, id, &arena, &now, err);
    if (rc == 0 && !may_follow[now.state][state])
        rc = err_set(err, ERR_CONFLICT, "$.state: the alert is %s; it cannot become %s", words[now.state], words[state]);
    arena_clear(&arena);
    if (rc != 0)
        return -1;
    return db_exec(db, &Q[Q_SET_STATE], DB_IN(db_i(state), db_i(now_ms), db_t(by), db_t(note), db_i(id)), NULL, err);
}

/* ---- lists ------------------------------------------------------------------------------ */

static bool is_other(const char *wanted, const struct db_rows *row, int col)
{
    return wanted != NULL && !str_match(wanted, db_col_t(row, col));
}

static bool passes(const struct alert_filter *f, const struct db_rows *row)
{
    if (f->severity >= 0 && db_col_i(row, 7) > f->severity)
        return false;
    if (is_other(f->rule, row, 3) || is_other(f->repository, row, 10) || is_other(f->digest, row, 11) || is_other(f->cluster, row, 12) ||
        is_other(f->namespace, row, 13))
        return false;
    if (f->text == NULL)
        return true;
    static const int searched[] = { 3, 5, 8, 10, 14 };
    for (size_t i = 0; i < N_ITEMS(searched); i++) {
        if (strcasestr(db_col_t(row, searched[i]), f->text) != NULL)
            return true;
    }
    return false;
}

struct walk {
    const struct alert_filter *f;
    struct list list;
    int64_t last_ms, id, examined;
    bool is_end, is_full;
};

static int walk_chunk(struct db *db, struct walk *w, struct err *err)
{
    const struct alert_filter *f = w->f;
    struct db_rows rows = { 0 };
    int64_t n = 0;
    int rc = f->state >= 0
        ? db_rows_open(db, &Q[Q_BY_STATE], DB_IN(db_i(w->last_ms), db_i(w->id), db_i(f->state), db_i(CHUNK)), &rows, err)
        : db_rows_open(db, &Q[Q_LIST], DB_IN(db_i(w->last_ms), db_i(w->id), db_i(CHUNK)), &rows, err);

    if (rc != 0)
        return -1;
    while (!w->is_full && (rc = db_rows_next(&rows, err)) == 1) {
        n++;
        w->id = db_col_i(&rows, 0);
        w->last_ms = db_col_i(&rows, 20);
        if (!passes(f, &rows))
            continue;
        void *item = list_add(&w->list);
        if (item != NULL)
            alert_read(&rows, w->list.arena, item, &w->list.failed);
        w->is_full = w->list.failed || (int64_t)w->list.n >= f->limit;
    }
    db_rows_close(&rows);
    if (!w->is_full && rc < 0)
        return -1;
    w->examined += n;
    w->is_end = !w->is_full && n < CHUNK;
    return 0;
}

int alert_list(struct db *db, const struct alert_filter *f, struct arena *arena, struct alert_row **out, size_t *n,
               int64_t *next_ms, int64_t *next_id, struct err *err)
{
    struct walk w = { .f = f, .list = LIST_OF(struct alert_row, arena), .last_ms = f->before_ms, .id = f->before_id };
    void *items;

    while (!w.is_end && !w.is_full && w.examined < f->examine) {
        if (walk_chunk(db, &w, err) != 0)
            return -1;
    }
    if (list_done(&w.list, 0, &items, n, err) != 0)
        return -1;
    *out = items;
    *next_ms = w.is_end ? 0 : w.last_ms;
    *next_id = w.is_end ? 0 : w.id;
    return 0;
}

static void group_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    *(struct alert_group *)out = (struct alert_group){
        .rule = row_text(row, 0, arena, failed), .repository = row_text(row, 1, arena, failed), .rule_kind = (int)db_col_i(row, 2),
        .severity = (int)db_col_i(row, 3), .n_alerts = db_col_i(row, 4), .n_open = db_col_i(row, 5), .n = db_col_i(row, 6),
        .first_ms = db_col_i(row, 7), .last_ms = db_col_i(row, 8), .example = db_col_i(row, 9),
    };
}

int alert_groups(struct db *db, int64_t limit, struct arena *arena, struct alert_group **out, size_t *n, struct err *err)
{
    return rows_list(db, &Q[Q_GROUPS], DB_IN(db_i(ALERT_OPEN), db_i(ALERT_ACKNOWLEDGED), db_i(limit)), arena, group_read, sizeof **out,
                     (size_t)limit, (void **)out, n, err);
}

/* ---- upkeep -------------------------------------------------------------------------------- */

int alert_retain(struct db *db, int64_t before_ms, int64_t portion, int64_t *dropped, struct err *err)
{
    return db_exec(db, &Q[Q_DROP], DB_IN(db_i(ALERT_RESOLVED), db_i(before_ms), db_i(portion)), dropped, err);
}

int alert_count_open(struct db *db, int64_t counts[8], struct err *err)
{
    struct db_rows rows = { 0 };
    int rc;

    memset(counts, 0, 8 * sizeof *counts);
    if (db_rows_open(db, &Q[Q_COUNT_OPEN], DB_IN(db_i(ALERT_OPEN)), &rows, err) != 0)
        return -1;
    while ((rc = db_rows_next(&rows, err)) == 1) {
        int64_t severity = db_col_i(&rows, 0);
        if (severity >= 0 && severity < 8)
            counts[severity] = db_col_i(&rows, 1);
    }
    db_rows_close(&rows);
    return rc;
}
