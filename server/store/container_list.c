/* container_list.c - which running containers carry CVE-X, run a stale image, break a
 * policy: one query each.
 *
 * The filters are the same everywhere; what differs is by which index the candidates
 * are found.  The most selective one that is given leads. */
#include "store/container.h"

#include "store/rows.h"

#define COLS "c.node, c.container_id, c.name, n.node_id, n.name, n.enrolled_ms, n.revoked_ms, n.last_seen_ms, c.cluster, c.namespace, " \
    "c.pod, c.workload, c.service, c.engine, c.runtime, c.sandbox, c.image_ref, c.digest, c.image_by, c.is_privileged, c.user_id, " \
    "c.started_ms, c.seen_ms, c.verdict, c.judged_ms, c.reasons, i.id, i.digest, r.name, i.tag, r.team, i.n_running, i.verdict, " \
    "i.has_scan, i.scanned_ms, i.db_built_ms"
#define COL_LETTERS "itttt" "iii" "tttttttttt" "iiiiiii" "ti" "tttt" "iiiii"
#define FROM " FROM containers c JOIN nodes n ON n.id = c.node LEFT JOIN images i ON i.id = c.image_id " \
    "LEFT JOIN repositories r ON r.id = i.repository_id WHERE "
#define PACKAGED(p) "SELECT ip.image_id FROM package_names pn JOIN packages p ON p.name_id = pn.id " \
    "JOIN image_packages ip ON ip.package_id = p.id WHERE pn.name = " p " UNION SELECT ip.image_id FROM package_names pn " \
    "JOIN packages p ON p.name_id = pn.id JOIN image_packages ip ON ip.package_id = p.id WHERE pn.short_name = " p
#define BROKEN(p, r) "SELECT b.node, b.container_id FROM container_breaks b WHERE b.policy = " p " AND (" r " IS NULL OR b.rule = " r ")"
#define HAVING(v) "SELECT f.image_id FROM findings f WHERE f.vulnerability_id = " v " AND f.suppressed IS NULL"
#define NAMED(n) "SELECT id FROM nodes WHERE node_id = " n " UNION SELECT id FROM nodes WHERE name = " n
#define FILTER " AND ($3 IS NULL OR c.image_id IN (" HAVING("$3") ")) AND ($4 IS NULL OR c.image_id IN (" PACKAGED("$4") ")) " \
    "AND ($5 IS NULL OR (c.node, c.container_id) IN (" BROKEN("$5", "$6") ")) AND ($7 IS NULL OR c.image_id = $7) " \
    "AND ($8 IS NULL OR c.cluster = $8) AND ($9 IS NULL OR c.namespace = $9) AND ($10 IS NULL OR c.node IN (" NAMED("$10") ")) " \
    "AND ($11 IS NULL OR c.sandbox = $11 OR ($11 = 'none' AND c.sandbox = '') OR ($11 = 'any' AND c.sandbox <> '')) " \
    "AND ($12 = 0 OR i.id IS NULL OR i.has_scan = 0 OR i.scanned_ms < $13 OR i.db_built_ms < $14) " \
    "AND ($15 = 0 OR c.is_privileged = 1) AND ($16 IS NULL OR c.verdict = $16) " \
    "AND ($17 IS NULL OR substr(c.name, 1, length($17)) = $17 OR substr(c.workload, 1, length($17)) = $17 " \
    "OR substr(c.pod, 1, length($17)) = $17 OR substr(c.container_id, 1, length($17)) = $17) " \
    "AND (c.node, c.container_id) > ($18, $19) ORDER BY c.node, c.container_id LIMIT $20"
#define FILTER_LETTERS "ittti" "tttt" "iii" "iit" "iti"
#define LISTED(name, letters, lead) { name, letters FILTER_LETTERS, COL_LETTERS, "SELECT " COLS FROM lead FILTER }

enum { Q_ALL, Q_BY_CVE, Q_BY_PACKAGE, Q_BY_POLICY, Q_BY_IMAGE, Q_BY_NODE, Q_BY_PRIVILEGE, Q_BY_VERDICT, Q_BY_PLACE, Q_GET, Q_N };
static const struct db_query Q[Q_N] = {
    [Q_ALL] = LISTED("container.list", "tt", "$1 IS NULL AND $2 IS NULL"),
    [Q_BY_CVE] = LISTED("container.list_by_cve", "it", "c.image_id IN (" HAVING("$1") ") AND $2 IS NULL"),
    [Q_BY_PACKAGE] = LISTED("container.list_by_package", "tt", "c.image_id IN (" PACKAGED("$1") ") AND $2 IS NULL"),
    [Q_BY_POLICY] = LISTED("container.list_by_policy", "tt", "(c.node, c.container_id) IN (" BROKEN("$1", "$2") ")"),
    [Q_BY_IMAGE] = LISTED("container.list_by_image", "it", "c.image_id = $1 AND $2 IS NULL"),
    [Q_BY_NODE] = LISTED("container.list_by_node", "tt", "c.node IN (" NAMED("$1") ") AND $2 IS NULL"),
    [Q_BY_PRIVILEGE] = LISTED("container.list_privileged", "tt", "c.is_privileged = 1 AND $1 IS NULL AND $2 IS NULL"),
    [Q_BY_VERDICT] = LISTED("container.list_by_verdict", "it", "c.verdict = $1 AND $2 IS NULL"),
    [Q_BY_PLACE] = LISTED("container.list_by_place", "tt", "c.cluster = $1 AND ($2 IS NULL OR c.namespace = $2)"),
    [Q_GET] = { "container.get", "tt", COL_LETTERS "t",
        "SELECT " COLS ", c.document" FROM "n.node_id = $1 AND c.container_id = $2" },
};
const struct db_queries container_list_queries = { Q, Q_N };

static void read_image(const struct db_rows *rows, int at, struct arena *arena, struct image *m, bool *failed)
{
    m->id = db_col_i(rows, at);
    m->digest = db_col_text(rows, at + 1, arena, failed);
    m->repository = db_col_text(rows, at + 2, arena, failed);
    m->tag = db_col_text(rows, at + 3, arena, failed);
    m->team = db_col_text(rows, at + 4, arena, failed);
    m->running = db_col_i(rows, at + 5);
    m->verdict = (int)db_col_i(rows, at + 6);
    m->has_scan = db_col_i(rows, at + 7) != 0;
    m->scanned_ms = db_col_time(rows, at + 8);
    m->db_built_ms = db_col_time(rows, at + 9);
}

static void read_shown(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct container_shown *s = out;
    struct container_answer *a = &s->answer;
    const char **texts[] = { &a->cluster, &a->namespace, &a->pod, &a->workload, &a->service, &a->engine, &a->runtime, &a->sandbox, &a->reference };

    s->node = db_col_i(rows, 0);
    a->id = row_text(rows, 1, arena, failed);
    a->name = row_text(rows, 2, arena, failed);
    a->node_id = row_text(rows, 3, arena, failed);
    a->node = row_text(rows, 4, arena, failed);
    s->node_enrolled_ms = db_col_time(rows, 5);
    s->node_revoked_ms = db_col_time(rows, 6);
    s->node_seen_ms = db_col_time(rows, 7);
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = row_text(rows, 8 + (int)i, arena, failed);
    a->digest = db_col_text(rows, 17, arena, failed);
    a->image_by = (int)db_col_i(rows, 18);
    a->is_privileged = db_col_i(rows, 19) != 0;
    a->user_id = db_col_i(rows, 20);
    a->started_ms = db_col_time(rows, 21);
    a->seen_ms = db_col_time(rows, 22);
    a->verdict = (int)db_col_i(rows, 23);
    a->judged_ms = db_col_time(rows, 24);
    a->reasons = row_text(rows, 25, arena, failed);
    read_image(rows, 26, arena, &s->image, failed);
}

/* The first two parameters: by what the candidates are found. */
static int lead(const struct container_filter *f, struct db_value in[2])
{
    in[1] = db_t(NULL);
    if (f->vulnerability != 0)
        return in[0] = db_i(f->vulnerability), Q_BY_CVE;
    if (f->package != NULL)
        return in[0] = db_t(f->package), Q_BY_PACKAGE;
    if (f->policy != NULL)
        return in[0] = db_t(f->policy), in[1] = db_t(f->rule), Q_BY_POLICY;
    if (f->image_id != 0)
        return in[0] = db_i(f->image_id), Q_BY_IMAGE;
    if (f->node != NULL)
        return in[0] = db_t(f->node), Q_BY_NODE;
    in[0] = db_t(NULL);
    if (f->privileged)
        return Q_BY_PRIVILEGE;
    if (f->verdict != 0)
        return in[0] = db_i(f->verdict - 1), Q_BY_VERDICT;
    if (f->cluster != NULL)
        return in[0] = db_t(f->cluster), in[1] = db_t(f->namespace), Q_BY_PLACE;
    return Q_ALL;
}

static struct db_value id_or_null(int64_t id)
{
    return id == 0 ? db_i_null() : db_i(id);
}

int container_list(struct db *db, const struct container_filter *f, const struct freshness_limits *limits, int64_t now_ms,
                   struct arena *arena, struct container_shown **out, size_t *n, struct err *err)
{
    struct db_value by[2];
    int q = lead(f, by);
    const struct db_value in[] = {
        by[0], by[1], id_or_null(f->vulnerability), db_t(f->package), db_t(f->policy), db_t(f->rule), id_or_null(f->image_id),
        db_t(f->cluster), db_t(f->namespace), db_t(f->node), db_t(f->sandbox), db_i(f->stale), db_i(now_ms - limits->scan_max_age_ms),
        db_i(now_ms - limits->database_max_age_ms), db_i(f->privileged), f->verdict == 0 ? db_i_null() : db_i(f->verdict - 1),
        db_t(f->q), db_i(f->after_id != NULL ? f->after_node : -1), db_t(f->after_id != NULL ? f->after_id : ""), db_i(f->limit),
    };

    return rows_all(db, &Q[q], in, N_ITEMS(in), arena, read_shown, sizeof(struct container_shown), (void **)out, n, err);
}

int container_get(struct db *db, const char *node_id, const char *id, struct arena *arena, struct container_shown *out, struct err *err)
{
    struct container_shown shown = { 0 };
    struct db_rows rows;
    bool failed = false;
    int rc = db_row(db, &Q[Q_GET], DB_IN(db_t(node_id), db_t(id)), &rows, err);

    if (rc <= 0)
        return rc;
    read_shown(&rows, arena, &shown, &failed);
    shown.document = row_text(&rows, 36, arena, &failed);
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    *out = shown;
    return 1;
}
