/* node.c - see node.h. */
#include "store/node.h"
#include "base/time.h"
#include "store/rows.h"

#define COLS "id, node_id, name, cluster, labels, scope, fingerprint, public_key, join_token, created_ms, enrolled_ms," \
             " revoked_ms, revoked_by, last_seen_ms, last_from, agent_version, kernel, arch, clock_skew_ms, session_ms," \
             " session_nonce, challenge_ms, instances, cloned_ms, certificate, bundle_version, bundle_applied_ms, problem," \
             " status, status_ms, stream, through_seq, n_events, n_dropped, n_refused, inventory_generation," \
             " (SELECT COUNT(*) FROM containers WHERE node = nodes.id)"
#define COLS_OUT "itttttttt" "iii" "ti" "tttt" "ii" "ti" "ti" "tii" "tti" "tiiiiii"
#define STATE "CASE WHEN revoked_ms IS NOT NULL THEN 0 WHEN enrolled_ms IS NULL THEN 1" \
              " WHEN last_seen_ms IS NULL OR last_seen_ms < $5 THEN 2 ELSE 3 END"

enum { Q_NEXT, Q_INSERT, Q_GET, Q_GET_STORED, Q_GET_KEY, Q_LIST, Q_NEW, Q_REVOKED, Q_REVOKE, Q_SESSION, Q_STATUS, Q_TOUCH,
       Q_DROPS, Q_N };
static const struct db_query Q[] = {
    [Q_NEXT]   = { "node.next", "", "i", "SELECT COALESCE(MAX(id), 0) + 1 FROM nodes" },
    [Q_INSERT] = { "node.insert", "itttttttti" "tttt", "",
        "INSERT INTO nodes (id, node_id, name, cluster, labels, scope, fingerprint, public_key, join_token, created_ms,"
        " agent_version, kernel, arch, certificate, session_nonce, instances, problem, stream, through_seq, n_events, n_dropped,"
        " n_refused, inventory_generation)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '', '[]', '', '', 0, 0, 0, 0, 0)" },
    [Q_GET]    = { "node.get", "t", COLS_OUT, "SELECT " COLS " FROM nodes WHERE node_id = $1" },
    [Q_GET_STORED] = { "node.get_stored", "i", COLS_OUT, "SELECT " COLS " FROM nodes WHERE id = $1" },
    [Q_GET_KEY] = { "node.get_by_key", "t", COLS_OUT, "SELECT " COLS " FROM nodes WHERE fingerprint = $1" },
    [Q_LIST]   = { "node.list", "titiitiii", COLS_OUT,
        "SELECT " COLS " FROM nodes WHERE (name, id) > ($1, $2) AND ($3 IS NULL OR cluster = $3)"
        " AND ($4 < 0 OR " STATE " = $4) AND ($6 IS NULL OR substr(name, 1, length($6)) = $6"
        " OR substr(node_id, 1, length($6)) = $6) AND ($7 = 0 OR problem <> '')"
        " AND ($8 < 0 OR COALESCE(bundle_version, 0) = $8) ORDER BY name, id LIMIT $9" },
    [Q_NEW]    = { "node.list_new", "ii", "ittttiii",
        "SELECT id, node_id, name, cluster, scope, revoked_ms, last_seen_ms, bundle_version FROM nodes WHERE id > $1"
        " ORDER BY id LIMIT $2" },
    [Q_REVOKED] = { "node.list_revoked", "ii", "i",
        "SELECT id FROM nodes WHERE revoked_ms IS NOT NULL AND revoked_ms >= $1 ORDER BY revoked_ms, id LIMIT $2" },
    [Q_REVOKE] = { "node.revoke", "iti", "",
        "UPDATE nodes SET revoked_ms = $1, revoked_by = $2 WHERE id = $3 AND revoked_ms IS NULL" },
    [Q_SESSION] = { "node.session", "iittttii" "tititt" "i", "",
        "UPDATE nodes SET enrolled_ms = $1, last_seen_ms = $2, last_from = $3, agent_version = $4, kernel = $5, arch = $6,"
        " clock_skew_ms = $7, session_ms = $8, session_nonce = $9, challenge_ms = $10, instances = $11, cloned_ms = $12,"
        " certificate = $13, problem = $14 WHERE id = $15" },
    [Q_STATUS] = { "node.status", "tiiititi", "",
        "UPDATE nodes SET status = $1, status_ms = $2, bundle_version = $3, bundle_applied_ms = $4, problem = $5,"
        " last_seen_ms = $6, last_from = $7 WHERE id = $8" },
    [Q_TOUCH]  = { "node.touch", "itii", "",
        "UPDATE nodes SET last_seen_ms = $1, last_from = COALESCE($2, last_from), bundle_version = COALESCE($3, bundle_version),"
        " bundle_applied_ms = CASE WHEN $3 IS NULL OR $3 = bundle_version THEN bundle_applied_ms ELSE $1 END"
        " WHERE id = $4 AND (last_seen_ms IS NULL OR last_seen_ms <= $1)" },
    [Q_DROPS]  = { "node.drops", "i", "ttii",
        "SELECT class, reason, n, last_ms FROM node_drops WHERE node = $1 ORDER BY class, reason" },
};
const struct db_queries node_queries = { Q, Q_N };

static void node_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    *(struct node *)out = (struct node){
        .id = db_col_i(row, 0), .node_id = row_text(row, 1, arena, failed), .name = row_text(row, 2, arena, failed),
        .cluster = row_text(row, 3, arena, failed), .labels = row_text(row, 4, arena, failed),
        .scope = row_text(row, 5, arena, failed), .fingerprint = row_text(row, 6, arena, failed),
        .public_key = row_text(row, 7, arena, failed), .join_token = row_text(row, 8, arena, failed),
        .created_ms = db_col_i(row, 9), .enrolled_ms = db_col_time(row, 10), .revoked_ms = db_col_time(row, 11),
        .revoked_by = db_col_text(row, 12, arena, failed), .last_seen_ms = db_col_time(row, 13),
        .last_from = db_col_text(row, 14, arena, failed), .agent_version = row_text(row, 15, arena, failed),
        .kernel = row_text(row, 16, arena, failed), .arch = row_text(row, 17, arena, failed),
        .clock_skew_ms = db_col_time(row, 18), .session_ms = db_col_time(row, 19),
        .session_nonce = row_text(row, 20, arena, failed), .challenge_ms = db_col_time(row, 21),
        .instances = row_text(row, 22, arena, failed), .cloned_ms = db_col_time(row, 23),
        .certificate = row_text(row, 24, arena, failed), .bundle_version = db_col_i(row, 25),
        .bundle_applied_ms = db_col_time(row, 26), .problem = row_text(row, 27, arena, failed),
        .status = db_col_text(row, 28, arena, failed), .status_ms = db_col_time(row, 29),
        .stream = row_text(row, 30, arena, failed), .through_seq = db_col_i(row, 31), .n_events = db_col_i(row, 32),
        .n_dropped = db_col_i(row, 33), .n_refused = db_col_i(row, 34), .inventory_generation = db_col_i(row, 35),
        .n_containers = db_col_i(row, 36),
    };
}

static void new_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    *(struct node *)out = (struct node){
        .id = db_col_i(row, 0), .node_id = row_text(row, 1, arena, failed), .name = row_text(row, 2, arena, failed),
        .cluster = row_text(row, 3, arena, failed), .scope = row_text(row, 4, arena, failed),
        .revoked_ms = db_col_time(row, 5), .last_seen_ms = db_col_time(row, 6), .bundle_version = db_col_i(row, 7),
    };
}

static void id_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    (void)arena;
    (void)failed;
    *(int64_t *)out = db_col_i(row, 0);
}

static void drop_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    *(struct node_drop *)out = (struct node_drop){
        .class = row_text(row, 0, arena, failed), .reason = row_text(row, 1, arena, failed),
        .n = db_col_i(row, 2), .last_ms = db_col_i(row, 3),
    };
}

/* ---- reading ---------------------------------------------------------------------- */

int node_get(struct db *db, const char *node_id, struct arena *arena, struct node *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(node_id)), arena, node_read, out, "node", err);
}

int node_get_stored(struct db *db, int64_t id, struct arena *arena, struct node *out, struct err *err)
{
    return row_get(db, &Q[Q_GET_STORED], DB_IN(db_i(id)), arena, node_read, out, "node", err);
}

int node_get_by_key(struct db *db, const char *fingerprint, struct arena *arena, struct node *out, struct err *err)
{
    return row_get(db, &Q[Q_GET_KEY], DB_IN(db_t(fingerprint)), arena, node_read, out, "node", err);
}

int node_list(struct db *db, const struct node_filter *f, const char *after_name, int64_t after_id, int64_t limit,
              struct arena *arena, struct node **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_t(after_name), db_i(after_id), db_t(f->cluster), db_i(f->state),
                  db_i(f->silent_before_ms), db_t(f->q), db_i(f->has_problem ? 1 : 0), db_i(f->bundle_version), db_i(limit)),
                  arena, node_read, sizeof **out, (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int node_list_new(struct db *db, int64_t after, int64_t limit, struct arena *arena, struct node **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_NEW], DB_IN(db_i(after), db_i(limit)), arena, new_read, sizeof **out, (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int node_list_revoked(struct db *db, int64_t since_ms, int64_t limit, struct arena *arena, int64_t **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_list(db, &Q[Q_REVOKED], DB_IN(db_i(since_ms), db_i(limit)), arena, id_read, sizeof **out, (size_t)limit, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

int node_drop_list(struct db *db, int64_t node, struct arena *arena, struct node_drop **out, size_t *n, struct err *err)
{
    void *items;

    if (rows_all(db, &Q[Q_DROPS], DB_IN(db_i(node)), arena, drop_read, sizeof **out, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

/* ---- writing ---------------------------------------------------------------------- */

int node_insert(struct db *db, struct node *n, struct err *err)
{
    int64_t id;

    if (db_int(db, &Q[Q_NEXT], DB_NONE, 1, &id, err) != 0)
        return -1;
    if (db_exec(db, &Q[Q_INSERT], DB_IN(db_i(id), db_t(n->node_id), db_t(n->name), db_t(n->cluster), db_t(n->labels),
                db_t(n->scope), db_t(n->fingerprint), db_t(n->public_key), db_t(n->join_token), db_i(n->created_ms),
                db_t(n->agent_version), db_t(n->kernel), db_t(n->arch), db_t(n->certificate)), NULL, err) != 0)
        return -1;
    n->id = id;
    return 0;
}

int node_end(struct db *db, int64_t id, int64_t at_ms, const char *by, bool *changed, struct err *err)
{
    int64_t n;

    if (db_exec(db, &Q[Q_REVOKE], DB_IN(db_i(at_ms), db_t(by), db_i(id)), &n, err) != 0)
        return -1;
    *changed = n == 1;
    return 0;
}

int node_update_session(struct db *db, const struct node *n, struct err *err)
{
    return db_exec(db, &Q[Q_SESSION], DB_IN(db_time(n->enrolled_ms), db_time(n->last_seen_ms), db_t(n->last_from),
                   db_t(n->agent_version), db_t(n->kernel), db_t(n->arch), db_time(n->clock_skew_ms), db_time(n->session_ms),
                   db_t(n->session_nonce), db_time(n->challenge_ms), db_t(n->instances), db_time(n->cloned_ms),
                   db_t(n->certificate), db_t(n->problem), db_i(n->id)), NULL, err);
}

int node_update_status(struct db *db, const struct node *n, struct err *err)
{
    return db_exec(db, &Q[Q_STATUS], DB_IN(db_t(n->status), db_time(n->status_ms),
                   n->bundle_version > 0 ? db_i(n->bundle_version) : db_i_null(), db_time(n->bundle_applied_ms),
                   db_t(n->problem), db_time(n->last_seen_ms), db_t(n->last_from), db_i(n->id)), NULL, err);
}

int node_touch(struct db *db, int64_t id, int64_t seen_ms, const char *from, int64_t version, struct err *err)
{
    return db_exec(db, &Q[Q_TOUCH], DB_IN(db_i(seen_ms), db_t(from), version >= 0 ? db_i(version) : db_i_null(), db_i(id)),
                   NULL, err);
}
