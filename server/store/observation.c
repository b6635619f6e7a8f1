/* observation.c - see observation.h. */
#include "store/observation.h"
#include "store/rows.h"

#define COLS "kind, item, parent, n, n_containers, n_nodes, n_hours, first_ms, last_ms, doubt, containers, nodes"
#define COLS_OUT "ittiiiiiitbb"

enum { Q_LIST, Q_GET, Q_PUT, Q_IMAGES, Q_N };
static const struct db_query Q[] = {
    [Q_LIST] = { "observation.list", "ii", COLS_OUT,
        "SELECT " COLS " FROM observations WHERE image_id = $1 ORDER BY kind, item, parent LIMIT $2" },
    [Q_GET] = { "observation.get", "iitt", COLS_OUT,
        "SELECT " COLS " FROM observations WHERE image_id = $1 AND kind = $2 AND item = $3 AND parent = $4" },
    [Q_PUT] = { "observation.put", "iittiiiiiitbb", "",
        "INSERT INTO observations (image_id, " COLS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " ON CONFLICT (image_id, kind, item, parent) DO UPDATE SET n = excluded.n, n_containers = excluded.n_containers,"
        " n_nodes = excluded.n_nodes, n_hours = excluded.n_hours, first_ms = excluded.first_ms, last_ms = excluded.last_ms,"
        " doubt = excluded.doubt, containers = excluded.containers, nodes = excluded.nodes" },
    [Q_IMAGES] = { "observation.images", "ti", "i",
        "SELECT i.id FROM images i JOIN repositories r ON r.id = i.repository_id WHERE r.name = $1"
        " AND EXISTS (SELECT 1 FROM observations o WHERE o.image_id = i.id) ORDER BY i.id DESC LIMIT $2" },
};
const struct db_queries observation_queries = { Q, Q_N };

static void observation_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct observation *o = out;

    *o = (struct observation){
        .part = (int)db_col_i(row, 0),
        .item = row_text(row, 1, arena, failed),
        .parent = row_text(row, 2, arena, failed),
        .n = db_col_i(row, 3),
        .n_containers = db_col_i(row, 4),
        .n_nodes = db_col_i(row, 5),
        .n_hours = db_col_i(row, 6),
        .first_ms = db_col_i(row, 7),
        .last_ms = db_col_i(row, 8),
        .doubt = row_text(row, 9, arena, failed),
        .containers = row_bytes(row, 10, arena, failed),
        .nodes = row_bytes(row, 11, arena, failed),
    };
}

int observation_list(struct db *db, int64_t image_id, struct arena *arena, struct observation **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_all(db, &Q[Q_LIST], DB_IN(db_i(image_id), db_i(OBSERVATIONS_PER_IMAGE_MAX)), arena, observation_read, sizeof **out, &list, n, err) != 0)
        return -1;
    *out = list;
    for (size_t i = 0; i < *n; i++)
        (*out)[i].image_id = image_id;
    return 0;
}

int observation_get(struct db *db, int64_t image_id, int part, const char *item, const char *parent, struct arena *arena,
                    struct observation *out, struct err *err)
{
    struct db_rows rows = { 0 };
    struct observation o;
    bool failed = false;

    int rc = db_row(db, &Q[Q_GET], DB_IN(db_i(image_id), db_i(part), db_t(item), db_t(parent)), &rows, err);
    if (rc == 1) {
        observation_read(&rows, arena, &o, &failed);
        o.image_id = image_id;
        if (failed)
            rc = err_nomem(err);
        else
            *out = o;
    }
    db_rows_close(&rows);
    return rc;
}

int observation_put(struct db *db, const struct observation *o, struct err *err)
{
    static const unsigned char none[1];
    const void *containers = o->containers.len > 0 ? o->containers.ptr : none, *nodes = o->nodes.len > 0 ? o->nodes.ptr : none;

    return db_exec(db, &Q[Q_PUT], DB_IN(db_i(o->image_id), db_i(o->part), db_t(o->item), db_t(o->parent), db_i(o->n), db_i(o->n_containers),
                   db_i(o->n_nodes), db_i(o->n_hours), db_i(o->first_ms), db_i(o->last_ms), db_t(o->doubt),
                   db_b(containers, o->containers.len), db_b(nodes, o->nodes.len)), NULL, err);
}

static void id_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    (void)arena, (void)failed;
    *(int64_t *)out = db_col_i(row, 0);
}

int observation_images(struct db *db, const char *repository, int64_t limit, struct arena *arena, int64_t **ids, size_t *n,
                       struct err *err)
{
    void *list;

    if (rows_all(db, &Q[Q_IMAGES], DB_IN(db_t(repository), db_i(limit)), arena, id_read, sizeof **ids, &list, n, err) != 0)
        return -1;
    *ids = list;
    return 0;
}
