/* running.c - see running.h. */
#include "store/running.h"

#include "store/rows.h"

enum { Q_CLEAR, Q_ADD, Q_LESS, Q_MORE, Q_LIST, Q_OF_IMAGE, Q_N };

#define STATE "CASE WHEN i.has_scan = 0 THEN 1 WHEN i.scanned_ms IS NULL THEN 0 WHEN i.scanned_ms < $1 THEN 2 " \
    "WHEN i.db_built_ms IS NULL THEN 0 WHEN i.db_built_ms < $2 THEN 3 ELSE 4 END"

#define OF_CLUSTER "(SELECT CAST(SUM(w.replicas) AS BIGINT) FROM running w WHERE w.image_id = images.id AND w.cluster = $1) " \
    "WHERE id IN (SELECT image_id FROM running WHERE cluster = $1)"

static const struct db_query Q[Q_N] = {
    [Q_CLEAR] = { "running.clear", "t", "", "DELETE FROM running WHERE cluster = $1" },
    [Q_ADD] = { "running.add", "ttttiii", "",
        "INSERT INTO running (cluster, namespace, workload, container, image_id, replicas, seen_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (cluster, namespace, workload, container, image_id) DO UPDATE "
        "SET replicas = running.replicas + excluded.replicas, seen_ms = excluded.seen_ms" },
    /* What a cluster adds to its images' numbers, taken away and put there again. */
    [Q_LESS] = { "running.less", "t", "", "UPDATE images SET n_running = n_running - " OF_CLUSTER },
    [Q_MORE] = { "running.more", "t", "", "UPDATE images SET n_running = n_running + " OF_CLUSTER },
    [Q_LIST] = { "running.list", "iitttiittttii", "ttttiitttiii",
        "SELECT w.cluster, w.namespace, w.workload, w.container, w.replicas, w.seen_ms, i.digest, r.name, i.tag, i.verdict, "
        STATE ", w.image_id FROM running w JOIN images i ON i.id = w.image_id JOIN repositories r ON r.id = i.repository_id "
        "WHERE ($3 IS NULL OR w.cluster = $3) AND ($4 IS NULL OR w.namespace = $4) AND ($5 IS NULL OR i.digest = $5) "
        "AND ($6 IS NULL OR i.verdict = $6) AND ($7 = 0 OR " STATE " IN (1, 2, 3)) "
        "AND (w.cluster, w.namespace, w.workload, w.container, w.image_id) > ($8, $9, $10, $11, $12) "
        "ORDER BY w.cluster, w.namespace, w.workload, w.container, w.image_id LIMIT $13" },
    [Q_OF_IMAGE] = { "running.of_image", "i", "ttttii",
        "SELECT cluster, namespace, workload, container, replicas, seen_ms FROM running WHERE image_id = $1 "
        "ORDER BY cluster, namespace, workload, container LIMIT 1000" },
};

const struct db_queries running_queries = { Q, Q_N };

int running_clear(struct db *db, const char *cluster, struct err *err)
{
    return db_exec(db, &Q[Q_LESS], DB_IN(db_t(cluster)), NULL, err) != 0 ||
           db_exec(db, &Q[Q_CLEAR], DB_IN(db_t(cluster)), NULL, err) != 0 ? -1 : 0;
}

int running_add(struct db *db, const struct running *r, struct err *err)
{
    return db_exec(db, &Q[Q_ADD], DB_IN(db_t(r->cluster), db_t(r->namespace), db_t(r->workload), db_t(r->container),
                                        db_i(r->image_id), db_i(r->replicas), db_i(r->seen_ms)), NULL, err);
}

int running_recount(struct db *db, const char *cluster, struct err *err)
{
    return db_exec(db, &Q[Q_MORE], DB_IN(db_t(cluster)), NULL, err);
}

static void place_row(const struct db_rows *rows, struct arena *arena, struct running *r, bool *failed)
{
    r->cluster = db_col_text(rows, 0, arena, failed);
    r->namespace = db_col_text(rows, 1, arena, failed);
    r->workload = db_col_text(rows, 2, arena, failed);
    r->container = db_col_text(rows, 3, arena, failed);
    r->replicas = db_col_i(rows, 4);
    r->seen_ms = db_col_i(rows, 5);
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static void running_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct running *r = out;

    place_row(rows, arena, r, failed);
    r->digest = db_col_text(rows, 6, arena, failed);
    r->repository = db_col_text(rows, 7, arena, failed);
    r->tag = db_col_text(rows, 8, arena, failed);
    r->verdict = (int)db_col_i(rows, 9);
    r->freshness = (int)db_col_i(rows, 10);
    r->image_id = db_col_i(rows, 11);
}

int running_list(struct db *db, const struct running_filter *f, const struct freshness_limits *limits, int64_t now_ms,
                 struct arena *arena, struct running **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_LIST],
                    DB_IN(db_i(now_ms - limits->scan_max_age_ms), db_i(now_ms - limits->database_max_age_ms), db_t(f->cluster),
                          db_t(f->namespace), db_t(f->image), f->verdict == 0 ? db_i_null() : db_i(f->verdict - 1),
                          db_i(f->stale), db_t(or_empty(f->after[0])), db_t(or_empty(f->after[1])),
                          db_t(or_empty(f->after[2])), db_t(or_empty(f->after[3])), db_i(f->after_image), db_i(f->limit)),
                    arena, running_list_row, sizeof(struct running), (void **)items, n, err);
}

static void running_of_image_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct running *r = out;

    place_row(rows, arena, r, failed);
}

int running_of_image(struct db *db, int64_t image_id, struct arena *arena, struct running **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_OF_IMAGE], DB_IN(db_i(image_id)), arena, running_of_image_row, sizeof(struct running), (void **)items, n, err);
}
