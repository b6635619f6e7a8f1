/* container.c - see container.h. */
#include "store/container.h"

#include "store/rows.h"
#include "store/text_list.h"

enum {
    Q_GENERATION, Q_SET_GENERATION, Q_PUT, Q_DELETE, Q_PLACE, Q_IDS, Q_HAS, Q_LESS, Q_CLEAR, Q_DERIVE, Q_MORE, Q_IDENTIFY,
    Q_DUE, Q_VERDICT, Q_IMAGE, Q_UNBREAK, Q_BREAK, Q_MARK_IMAGE, Q_MARK_ALL, Q_NODE, Q_LOST, Q_COUNT, Q_COUNT_VERDICT, Q_N
};

#define PLACE "cluster = $1 AND namespace = $2 AND workload = $3"
#define HERE PLACE " AND container = $4"
#define OF_PLACE "(SELECT CAST(SUM(w.replicas) AS BIGINT) FROM running w WHERE w.image_id = images.id AND w.cluster = $1 " \
    "AND w.namespace = $2 AND w.workload = $3 AND w.container = $4) WHERE id IN (SELECT image_id FROM running WHERE " HERE ")"

static const struct db_query Q[Q_N] = {
    [Q_GENERATION] = { "container.generation", "i", "it", "SELECT inventory_generation, cluster FROM nodes WHERE id = $1" },
    [Q_SET_GENERATION] = { "container.set_generation", "ii", "", "UPDATE nodes SET inventory_generation = $1 WHERE id = $2" },
    [Q_PUT] = { "container.put", "itiitttttttttttiiiitt", "",
        "INSERT INTO containers (node, container_id, image_id, image_by, image_ref, digest, name, cluster, namespace, pod, workload, "
        "service, engine, runtime, sandbox, is_privileged, user_id, started_ms, seen_ms, document, verdict, reasons, next_check_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 0, $21, 0) "
        "ON CONFLICT (node, container_id) DO UPDATE SET image_id = excluded.image_id, image_by = excluded.image_by, "
        "image_ref = excluded.image_ref, digest = excluded.digest, name = excluded.name, cluster = excluded.cluster, "
        "namespace = excluded.namespace, pod = excluded.pod, workload = excluded.workload, service = excluded.service, "
        "engine = excluded.engine, runtime = excluded.runtime, sandbox = excluded.sandbox, is_privileged = excluded.is_privileged, "
        "user_id = excluded.user_id, started_ms = excluded.started_ms, seen_ms = excluded.seen_ms, document = excluded.document, "
        "next_check_ms = 0" },
    [Q_DELETE] = { "container.delete", "it", "", "DELETE FROM containers WHERE node = $1 AND container_id = $2" },
    [Q_PLACE] = { "container.place", "it", "tttt",
        "SELECT cluster, namespace, workload, name FROM containers WHERE node = $1 AND container_id = $2" },
    [Q_IDS] = { "container.ids", "i", "t", "SELECT container_id FROM containers WHERE node = $1 ORDER BY container_id" },
    [Q_HAS] = { "container.cluster_has", "t", "i", "SELECT node FROM containers WHERE cluster = $1 LIMIT 1" },
    /* A place's rows are made anew; what they add to its images' numbers is taken away before, and put there after. */
    [Q_LESS] = { "container.less", "tttt", "", "UPDATE images SET n_running = n_running - " OF_PLACE },
    [Q_CLEAR] = { "container.clear", "tttt", "", "DELETE FROM running WHERE " HERE },
    [Q_DERIVE] = { "container.derive", "tttt", "",
        "INSERT INTO running (cluster, namespace, workload, container, image_id, replicas, seen_ms) "
        "SELECT cluster, namespace, workload, name, image_id, COUNT(*), MAX(seen_ms) FROM containers "
        "WHERE " PLACE " AND name = $4 AND image_id IS NOT NULL GROUP BY cluster, namespace, workload, name, image_id" },
    [Q_MORE] = { "container.more", "tttt", "", "UPDATE images SET n_running = n_running + " OF_PLACE },
    [Q_IDENTIFY] = { "container.identify", "it", "tttttttti",
        "SELECT container_id, name, namespace, pod, workload, service, digest, image_ref, image_id FROM containers "
        "WHERE node = $1 AND container_id >= $2 ORDER BY container_id LIMIT 1" },
    [Q_DUE] = { "container.due", "ii", "itittii",
        "SELECT node, container_id, image_id, cluster, document, image_by, verdict FROM containers WHERE next_check_ms <= $1 "
        "ORDER BY next_check_ms, image_id LIMIT $2" },
    [Q_VERDICT] = { "container.verdict", "iitiit", "",
        "UPDATE containers SET verdict = $1, judged_ms = $2, reasons = $3, next_check_ms = $4 WHERE node = $5 AND container_id = $6" },
    [Q_IMAGE] = { "container.image", "iiit", "",
        "UPDATE containers SET image_id = $1, image_by = $2 WHERE node = $3 AND container_id = $4" },
    [Q_UNBREAK] = { "container.unbreak", "it", "", "DELETE FROM container_breaks WHERE node = $1 AND container_id = $2" },
    [Q_BREAK] = { "container.break", "ttit", "",
        "INSERT INTO container_breaks (policy, rule, node, container_id) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (policy, rule, node, container_id) DO NOTHING" },
    [Q_MARK_IMAGE] = { "container.mark_image", "i", "", "UPDATE containers SET next_check_ms = 0 WHERE image_id = $1" },
    [Q_MARK_ALL] = { "container.mark_all", "", "", "UPDATE containers SET next_check_ms = 0 WHERE next_check_ms > 0" },
    [Q_NODE] = { "container.node", "i", "ttttttt", "SELECT node_id, name, cluster, labels, kernel, arch, agent_version FROM nodes WHERE id = $1" },
    [Q_COUNT] = { "container.count", "i", "i", "SELECT COUNT(*) FROM containers WHERE node = $1" },
    [Q_COUNT_VERDICT] = { "container.count_verdict", "i", "i", "SELECT COUNT(*) FROM containers WHERE verdict = $1" },
    [Q_LOST] = { "container.lost", "ii", "it",
        "SELECT c.node, c.container_id FROM containers c WHERE c.node = (SELECT n.id FROM nodes n WHERE n.last_seen_ms < $1 "
        "AND EXISTS (SELECT 1 FROM containers x WHERE x.node = n.id) ORDER BY n.last_seen_ms, n.id LIMIT 1) "
        "ORDER BY c.container_id LIMIT $2" },
};

const struct db_queries container_queries = { Q, Q_N };

/* ---- a node's report ------------------------------------------------------------------ */

int container_generation(struct db *db, int64_t node, struct arena *arena, int64_t *generation, const char **cluster, struct err *err)
{
    struct db_rows rows;
    bool failed = false;
    int rc = db_row(db, &Q[Q_GENERATION], DB_IN(db_i(node)), &rows, err);

    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "no such node");
    int64_t stored = db_col_i(&rows, 0);
    const char *name = db_col_text(&rows, 1, arena, &failed);
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    *generation = stored;
    *cluster = name;
    return 0;
}

int container_set_generation(struct db *db, int64_t node, int64_t generation, struct err *err)
{
    return db_exec(db, &Q[Q_SET_GENERATION], DB_IN(db_i(generation), db_i(node)), NULL, err);
}

int container_count(struct db *db, int64_t node, int64_t *n, struct err *err)
{
    return db_int(db, &Q[Q_COUNT], DB_IN(db_i(node)), 0, n, err);
}

int container_count_verdict(struct db *db, int verdict, int64_t *n, struct err *err)
{
    return db_int(db, &Q[Q_COUNT_VERDICT], DB_IN(db_i(verdict)), 0, n, err);
}

int container_put(struct db *db, const struct container_row *r, struct err *err)
{
    const struct container *c = r->container;

    return db_exec(db, &Q[Q_PUT],
                   DB_IN(db_i(r->node), db_t(c->id), r->image_id == 0 ? db_i_null() : db_i(r->image_id), db_i(r->image_by), db_t(c->image),
                         db_t(c->digest), db_t(r->place.name), db_t(r->place.cluster), db_t(r->place.namespace), db_t(c->pod),
                         db_t(r->place.workload), db_t(c->service), db_t(c->engine), db_t(c->runtime), db_t(c->sandbox),
                         db_i(c->is_privileged), db_i(c->user_id), db_time(c->started_ms), db_i(r->seen_ms), db_t(r->document),
                         db_t("[]")),
                   NULL, err);
}

int container_delete(struct db *db, int64_t node, const char *id, struct err *err)
{
    return container_clear_breaks(db, node, id, err) != 0 ||
           db_exec(db, &Q[Q_DELETE], DB_IN(db_i(node), db_t(id)), NULL, err) != 0 ? -1 : 0;
}

int container_find_place(struct db *db, int64_t node, const char *id, struct arena *arena, struct container_place *out, struct err *err)
{
    struct db_rows rows;
    bool failed = false;
    int rc = db_row(db, &Q[Q_PLACE], DB_IN(db_i(node), db_t(id)), &rows, err);

    if (rc <= 0)
        return rc;
    struct container_place place = { row_text(&rows, 0, arena, &failed), row_text(&rows, 1, arena, &failed),
                                     row_text(&rows, 2, arena, &failed), row_text(&rows, 3, arena, &failed) };
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    *out = place;
    return 1;
}

static void read_id(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    *(const char **)out = row_text(rows, 0, arena, failed);
}

int container_ids(struct db *db, int64_t node, struct arena *arena, const char ***ids, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_IDS], DB_IN(db_i(node)), arena, read_id, sizeof(const char *), (void **)ids, n, err);
}

int container_node_facts(struct db *db, int64_t node, struct arena *arena, const char **json, struct err *err)
{
    static const char *const keys[] = { "id", "name", "cluster", "labels", "kernel", "arch", "agent_version" };
    struct db_rows rows;
    struct buf b;
    int rc = db_row(db, &Q[Q_NODE], DB_IN(db_i(node)), &rows, err);

    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "no such node");
    buf_init(&b, 1 << 20);
    for (int i = 0; i < (int)N_ITEMS(keys); i++) {
        buf_printf(&b, "%c\"%s\":", i == 0 ? '{' : ',', keys[i]);
        if (i == 3)
            buf_puts(&b, db_col_t(&rows, i));              /* JSON already */
        else
            text_put_json(&b, db_col_t(&rows, i));
    }
    buf_putc(&b, '}');
    db_rows_close(&rows);
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    if (text == NULL)
        return err_nomem(err);
    *json = text;
    return 0;
}

int container_cluster_has(struct db *db, const char *cluster, bool *has, struct err *err)
{
    int64_t node;

    if (db_int(db, &Q[Q_HAS], DB_IN(db_t(cluster)), -1, &node, err) != 0)
        return -1;
    *has = node >= 0;
    return 0;
}

int container_recount(struct db *db, const struct container_place *p, struct err *err)
{
    static const int steps[] = { Q_LESS, Q_CLEAR, Q_DERIVE, Q_MORE };

    for (size_t i = 0; i < N_ITEMS(steps); i++)
        if (db_exec(db, &Q[steps[i]], DB_IN(db_t(p->cluster), db_t(p->namespace), db_t(p->workload), db_t(p->name)), NULL, err) != 0)
            return -1;
    return 0;
}

struct lost { int64_t node; const char *id; };

static void read_lost(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    *(struct lost *)out = (struct lost){ db_col_i(rows, 0), row_text(rows, 1, arena, failed) };
}

int container_list_lost(struct db *db, int64_t before_ms, size_t max, struct arena *arena, int64_t *node, const char ***ids, size_t *n,
                        struct err *err)
{
    struct lost *rows;

    if (rows_all(db, &Q[Q_LOST], DB_IN(db_i(before_ms), db_i((int64_t)max)), arena, read_lost, sizeof *rows, (void **)&rows, n, err) != 0)
        return -1;
    const char **list = arena_array(arena, *n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < *n; i++)
        list[i] = rows[i].id;
    *node = *n > 0 ? rows[0].node : 0;
    *ids = list;
    return 0;
}

int container_identify(struct db *db, int64_t node, const char *id, struct arena *arena, struct container_identity *out, struct err *err)
{
    struct db_rows rows;
    bool failed = false;
    int rc = *id == '\0' ? 0 : db_row(db, &Q[Q_IDENTIFY], DB_IN(db_i(node), db_t(id)), &rows, err);

    if (rc <= 0)
        return rc;
    struct container_identity found = {
        .id = row_text(&rows, 0, arena, &failed), .name = row_text(&rows, 1, arena, &failed), .namespace = row_text(&rows, 2, arena, &failed),
        .pod = row_text(&rows, 3, arena, &failed), .workload = row_text(&rows, 4, arena, &failed), .service = row_text(&rows, 5, arena, &failed),
        .digest = db_col_text(&rows, 6, arena, &failed), .image_ref = row_text(&rows, 7, arena, &failed), .image_id = db_col_i(&rows, 8),
    };
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    if (!str_starts(found.id, id))
        return 0;
    *out = found;
    return 1;
}

/* ---- judgement ------------------------------------------------------------------------ */

static void read_due(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    *(struct container_due *)out = (struct container_due){
        .node = db_col_i(rows, 0), .container_id = row_text(rows, 1, arena, failed), .image_id = db_col_i(rows, 2),
        .cluster = row_text(rows, 3, arena, failed), .document = row_text(rows, 4, arena, failed),
        .image_by = (int)db_col_i(rows, 5), .verdict = (int)db_col_i(rows, 6),
    };
}

int container_list_due(struct db *db, int64_t now_ms, size_t max, struct arena *arena, struct container_due **out, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_DUE], DB_IN(db_i(now_ms), db_i((int64_t)max)), arena, read_due, sizeof(struct container_due), (void **)out, n, err);
}

int container_set_verdict(struct db *db, const struct container_due *which, int decision, const char *reasons, int64_t now_ms,
                          int64_t next_check_ms, struct err *err)
{
    return db_exec(db, &Q[Q_VERDICT], DB_IN(db_i(decision), db_i(now_ms), db_t(reasons), db_i(next_check_ms), db_i(which->node),
                                            db_t(which->container_id)), NULL, err);
}

int container_set_image(struct db *db, const struct container_due *which, int64_t image_id, int image_by, struct err *err)
{
    return db_exec(db, &Q[Q_IMAGE], DB_IN(db_i(image_id), db_i(image_by), db_i(which->node), db_t(which->container_id)), NULL, err);
}

int container_clear_breaks(struct db *db, int64_t node, const char *id, struct err *err)
{
    return db_exec(db, &Q[Q_UNBREAK], DB_IN(db_i(node), db_t(id)), NULL, err);
}

int container_add_break(struct db *db, int64_t node, const char *id, const char *policy, const char *rule, struct err *err)
{
    return db_exec(db, &Q[Q_BREAK], DB_IN(db_t(policy), db_t(rule), db_i(node), db_t(id)), NULL, err);
}

int container_mark_image(struct db *db, int64_t image_id, struct err *err)
{
    return db_exec(db, &Q[Q_MARK_IMAGE], DB_IN(db_i(image_id)), NULL, err);
}

int container_mark_all(struct db *db, struct err *err)
{
    return db_exec(db, &Q[Q_MARK_ALL], NULL, 0, NULL, err);
}
