/* event_account.c - see event.h: how far streams have come, what nodes lost, and which
 * image an event is about. */
#include "store/event.h"

#include "store/rows.h"

#include <stdio.h>
#include <string.h>

enum { CONTAINER_PREFIX_MIN = 12, CONTAINER_ID_MAX = 256, DROP_ROWS_MAX = 64 };

#define CONTAINER_COLS "c.container_id, c.image_ref, COALESCE(i.digest, c.digest), r.name, c.name, c.cluster, c.namespace, c.pod," \
                       " c.workload, c.service, c.image_id"
#define CONTAINER_OUT "tttttttttti"
#define CONTAINER_FROM " FROM containers c LEFT JOIN images i ON i.id = c.image_id LEFT JOIN repositories r ON r.id = i.repository_id"

/* 2^62: a node says how many it lost, as often as it likes; there the sum stops. */
#define LARGE "4611686018427387904"

enum { Q_NODE, Q_NODE_ID, Q_NODE_NAME, Q_STREAM, Q_STREAM_PUT, Q_STREAM_PRUNE, Q_ACCOUNT, Q_REFUSED, Q_DROPS, Q_HAS_DROP, Q_DROP_ADD, Q_CONTAINER, Q_POD, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_NODE] = { "event.node", "i", "tttti", "SELECT node_id, name, cluster, stream, bundle_version FROM nodes WHERE id = $1" },
    [Q_NODE_ID] = { "event.node_id", "t", "i", "SELECT id FROM nodes WHERE node_id = $1" },
    [Q_NODE_NAME] = { "event.node_name", "t", "i", "SELECT id FROM nodes WHERE name = $1 ORDER BY id DESC LIMIT 1" },
    [Q_STREAM] = { "event.stream", "it", "i", "SELECT through_seq FROM event_streams WHERE node = $1 AND stream = $2" },
    [Q_STREAM_PUT] = { "event.stream_put", "itii", "",
        "INSERT INTO event_streams (node, stream, through_seq, last_ms) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (node, stream) DO UPDATE SET through_seq = excluded.through_seq, last_ms = excluded.last_ms" },
    [Q_STREAM_PRUNE] = { "event.stream_prune", "ii", "",
        "DELETE FROM event_streams WHERE node = $1 AND stream NOT IN"
        " (SELECT stream FROM event_streams WHERE node = $1 ORDER BY last_ms DESC, stream LIMIT $2)" },
    [Q_ACCOUNT] = { "event.account", "tiiii", "",
        "UPDATE nodes SET stream = $1, through_seq = $2, n_events = n_events + $3,"
        " n_dropped = CASE WHEN n_dropped < " LARGE " THEN n_dropped + $4 ELSE n_dropped END WHERE id = $5" },
    [Q_REFUSED] = { "event.refused", "i", "", "UPDATE nodes SET n_refused = n_refused + 1 WHERE id = $1" },
    [Q_DROPS] = { "event.drops", "i", "i", "SELECT COUNT(*) FROM node_drops WHERE node = $1" },
    [Q_HAS_DROP] = { "event.has_drop", "itt", "i", "SELECT 1 FROM node_drops WHERE node = $1 AND class = $2 AND reason = $3" },
    [Q_DROP_ADD] = { "event.drop_add", "ittii", "",
        "INSERT INTO node_drops (node, class, reason, n, last_ms) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (node, class, reason) DO UPDATE SET last_ms = excluded.last_ms,"
        " n = CASE WHEN node_drops.n < " LARGE " THEN node_drops.n + excluded.n ELSE node_drops.n END" },
    [Q_CONTAINER] = { "event.container", "itt", CONTAINER_OUT,
        "SELECT " CONTAINER_COLS CONTAINER_FROM " WHERE c.node = $1 AND c.container_id >= $2 AND c.container_id <= $3"
        " ORDER BY c.container_id LIMIT 2" },
    [Q_POD] = { "event.container_of_pod", "tttt", CONTAINER_OUT,
        "SELECT " CONTAINER_COLS CONTAINER_FROM " WHERE c.cluster = $1 AND c.namespace = $2 AND c.pod = $3"
        " ORDER BY CASE WHEN c.name = $4 THEN 0 ELSE 1 END, c.name, c.node, c.container_id LIMIT 1" },
};
const struct db_queries event_account_queries = { Q, Q_N };

/* ---- streams -------------------------------------------------------------------------- */

int event_node_get(struct db *db, int64_t node, struct arena *arena, struct event_node *out, struct err *err)
{
    struct db_rows row = { 0 };
    bool failed = false;
    int rc = db_row(db, &Q[Q_NODE], DB_IN(db_i(node)), &row, err);

    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "no such node");
    *out = (struct event_node){ .node_id = row_text(&row, 0, arena, &failed), .name = row_text(&row, 1, arena, &failed),
        .cluster = row_text(&row, 2, arena, &failed), .stream = row_text(&row, 3, arena, &failed), .bundle_version = db_col_i(&row, 4) };
    db_rows_close(&row);
    return failed ? err_nomem(err) : 0;
}

int event_node_named(struct db *db, const char *name, int64_t *node, struct err *err)
{
    if (db_int(db, &Q[Q_NODE_ID], DB_IN(db_t(name)), 0, node, err) != 0)
        return -1;
    return *node != 0 ? 0 : db_int(db, &Q[Q_NODE_NAME], DB_IN(db_t(name)), 0, node, err);
}

int event_stream_get(struct db *db, int64_t node, const char *stream, int64_t *through, bool *is_new, struct err *err)
{
    int64_t seq;

    if (db_int(db, &Q[Q_STREAM], DB_IN(db_i(node), db_t(stream)), -1, &seq, err) != 0)
        return -1;
    *is_new = seq < 0;
    *through = seq < 0 ? 0 : seq;
    return 0;
}

int event_stream_put(struct db *db, int64_t node, const char *stream, int64_t through, int64_t now_ms, struct err *err)
{
    return db_exec(db, &Q[Q_STREAM_PUT], DB_IN(db_i(node), db_t(stream), db_i(through), db_i(now_ms)), NULL, err);
}

int event_stream_prune(struct db *db, int64_t node, int64_t keep, struct err *err)
{
    return db_exec(db, &Q[Q_STREAM_PRUNE], DB_IN(db_i(node), db_i(keep)), NULL, err);
}

int event_node_account(struct db *db, int64_t node, const char *stream, int64_t through, int64_t events, int64_t dropped,
                       struct err *err)
{
    return db_exec(db, &Q[Q_ACCOUNT], DB_IN(db_t(stream), db_i(through), db_i(events), db_i(dropped), db_i(node)), NULL, err);
}

int event_node_refused(struct db *db, int64_t node, struct err *err)
{
    return db_exec(db, &Q[Q_REFUSED], DB_IN(db_i(node)), NULL, err);
}

/* A node names classes and reasons itself: past so many they are all "other". */
int event_drop_add(struct db *db, int64_t node, const char *class, const char *reason, int64_t n, int64_t now_ms, struct err *err)
{
    int64_t rows, known;

    if (db_int(db, &Q[Q_HAS_DROP], DB_IN(db_i(node), db_t(class), db_t(reason)), 0, &known, err) != 0 ||
        db_int(db, &Q[Q_DROPS], DB_IN(db_i(node)), 0, &rows, err) != 0)
        return -1;
    if (known == 0 && rows >= DROP_ROWS_MAX)
        class = reason = "other";
    return db_exec(db, &Q[Q_DROP_ADD], DB_IN(db_i(node), db_t(class), db_t(reason), db_i(n), db_i(now_ms)), NULL, err);
}

/* ---- containers ------------------------------------------------------------------------- */

static void container_read(const struct db_rows *row, struct arena *arena, struct event_container_row *out, bool *failed)
{
    *out = (struct event_container_row){
        .container_id = row_text(row, 0, arena, failed), .image_ref = row_text(row, 1, arena, failed),
        .digest = db_col_text(row, 2, arena, failed), .repository = db_col_text(row, 3, arena, failed),
        .name = row_text(row, 4, arena, failed), .cluster = row_text(row, 5, arena, failed),
        .namespace = row_text(row, 6, arena, failed), .pod = row_text(row, 7, arena, failed),
        .workload = row_text(row, 8, arena, failed), .service = row_text(row, 9, arena, failed), .image_id = db_col_i(row, 10),
    };
}

/* Sources write 12 (Falco), 31 (Tetragon) or all 64 digits. */
int event_container(struct db *db, int64_t node, const char *id, struct arena *arena, struct event_container_row *out,
                    struct err *err)
{
    struct event_container_row found[2];
    struct db_rows rows = { 0 };
    bool failed = false;
    size_t len = strlen(id), n = 0;
    char last[CONTAINER_ID_MAX + 2];
    int rc;

    if (len == 0 || len > CONTAINER_ID_MAX)
        return 0;
    snprintf(last, sizeof last, "%s%s", id, len < CONTAINER_PREFIX_MIN ? "" : "~");
    if (db_rows_open(db, &Q[Q_CONTAINER], DB_IN(db_i(node), db_t(id), db_t(last)), &rows, err) != 0)
        return -1;
    while ((rc = db_rows_next(&rows, err)) == 1 && n < N_ITEMS(found))
        container_read(&rows, arena, &found[n++], &failed);
    db_rows_close(&rows);
    if (rc < 0 || failed)
        return failed ? err_nomem(err) : -1;
    if (n == 0 || (n == 2 && !str_eq(found[0].container_id, id)))
        return 0;
    *out = found[0];
    return 1;
}

int event_container_of_pod(struct db *db, const char *cluster, const char *namespace, const char *pod, const char *name,
                           struct arena *arena, struct event_container_row *out, struct err *err)
{
    struct db_rows row = { 0 };
    bool failed = false;
    int rc = db_row(db, &Q[Q_POD], DB_IN(db_t(cluster), db_t(namespace), db_t(pod), db_t(name)), &row, err);

    if (rc != 1)
        return rc;
    container_read(&row, arena, out, &failed);
    db_rows_close(&row);
    return failed ? err_nomem(err) : 1;
}
