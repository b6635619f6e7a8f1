/* policy_doc.c - see policy_doc.h. */
#include "store/policy_doc.h"
#include "store/rows.h"

#define COLS "name, version, document, is_enabled, is_shipped, updated_ms, updated_by"
#define COLS_OUT "titiiit"

enum { Q_GET, Q_LIST, Q_ENABLED, Q_PUT, Q_ADD_VERSION, Q_LAST_VERSION, Q_SET_ENABLED, Q_DELETE, Q_VERSIONS,
       Q_CHANGED, Q_GENERATION, Q_N };
static const struct db_query Q[] = {
    [Q_GET]    = { "policy.get", "t", COLS_OUT, "SELECT " COLS " FROM policies WHERE name = $1" },
    [Q_LIST]   = { "policy.list", "ti", COLS_OUT,
        "SELECT " COLS " FROM policies WHERE name > $1 ORDER BY name LIMIT $2" },
    [Q_ENABLED] = { "policy.list_enabled", "", COLS_OUT,
        "SELECT " COLS " FROM policies WHERE is_enabled = 1 ORDER BY name" },
    [Q_PUT]    = { "policy.put", "titiiit", "",
        "INSERT INTO policies (" COLS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (name) DO UPDATE SET version = excluded.version, document = excluded.document,"
        " is_enabled = excluded.is_enabled, is_shipped = excluded.is_shipped,"
        " updated_ms = excluded.updated_ms, updated_by = excluded.updated_by" },
    [Q_ADD_VERSION] = { "policy.add_version", "titit", "",
        "INSERT INTO policy_versions (name, version, document, at_ms, author) VALUES ($1, $2, $3, $4, $5)" },
    [Q_LAST_VERSION] = { "policy.last_version", "t", "i",
        "SELECT MAX(version) FROM policy_versions WHERE name = $1" },
    [Q_SET_ENABLED] = { "policy.set_enabled", "iitt", "",
        "UPDATE policies SET is_enabled = $1, updated_ms = $2, updated_by = $3 WHERE name = $4" },
    [Q_DELETE] = { "policy.delete", "t", "", "DELETE FROM policies WHERE name = $1" },
    [Q_VERSIONS] = { "policy.versions", "tii", "iitt",
        "SELECT version, at_ms, author, document FROM policy_versions WHERE name = $1 AND version < $2"
        " ORDER BY version DESC LIMIT $3" },
    [Q_CHANGED] = { "policy.changed", "", "",
        "INSERT INTO settings (name, setting) VALUES ('policy_generation', '1') ON CONFLICT (name)"
        " DO UPDATE SET setting = CAST(CAST(settings.setting AS BIGINT) + 1 AS TEXT)" },
    [Q_GENERATION] = { "policy.generation", "", "i",
        "SELECT CAST(setting AS BIGINT) FROM settings WHERE name = 'policy_generation'" },
};
const struct db_queries policy_doc_queries = { Q, Q_N };

static void policy_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct policy_doc *p = out;

    *p = (struct policy_doc){
        .name = row_text(row, 0, arena, failed),
        .version = db_col_i(row, 1),
        .document = row_text(row, 2, arena, failed),
        .enabled = db_col_i(row, 3) != 0,
        .shipped = db_col_i(row, 4) != 0,
        .updated_ms = db_col_i(row, 5),
        .updated_by = row_text(row, 6, arena, failed),
    };
}

static void version_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct policy_version *v = out;

    *v = (struct policy_version){
        .version = db_col_i(row, 0),
        .at_ms = db_col_i(row, 1),
        .author = row_text(row, 2, arena, failed),
        .document = row_text(row, 3, arena, failed),
    };
}

int policy_doc_get(struct db *db, const char *name, struct arena *arena, struct policy_doc *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_t(name)), arena, policy_read, out, "policy", err);
}

int policy_doc_list(struct db *db, const char *after, int64_t limit, struct arena *arena,
                    struct policy_doc **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_LIST], DB_IN(db_t(after), db_i(limit)), arena, policy_read, sizeof **out,
                  (size_t)limit, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int policy_doc_list_enabled(struct db *db, struct arena *arena, struct policy_doc **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_ENABLED], DB_NONE, arena, policy_read, sizeof **out, POLICIES_MAX, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

static int changed(struct db *db, struct err *err)
{
    return db_exec(db, &Q[Q_CHANGED], DB_NONE, NULL, err);
}

int policy_doc_generation(struct db *db, int64_t *generation, struct err *err)
{
    return db_int(db, &Q[Q_GENERATION], DB_NONE, 0, generation, err);
}

int policy_doc_put(struct db *db, struct policy_doc *p, struct err *err)
{
    int64_t last;

    if (db_int(db, &Q[Q_LAST_VERSION], DB_IN(db_t(p->name)), 0, &last, err) != 0 ||
        db_exec(db, &Q[Q_PUT], DB_IN(db_t(p->name), db_i(last + 1), db_t(p->document), db_i(p->enabled),
                db_i(p->shipped), db_i(p->updated_ms), db_t(p->updated_by)), NULL, err) != 0 ||
        db_exec(db, &Q[Q_ADD_VERSION], DB_IN(db_t(p->name), db_i(last + 1), db_t(p->document),
                db_i(p->updated_ms), db_t(p->updated_by)), NULL, err) != 0 ||
        changed(db, err) != 0)
        return -1;
    p->version = last + 1;
    return 0;
}

int policy_doc_set_enabled(struct db *db, const char *name, bool enabled, int64_t at_ms, const char *by, struct err *err)
{
    if (db_exec(db, &Q[Q_SET_ENABLED], DB_IN(db_i(enabled), db_i(at_ms), db_t(by), db_t(name)), NULL, err) != 0)
        return -1;
    return changed(db, err);
}

int policy_doc_delete(struct db *db, const char *name, struct err *err)
{
    if (db_exec(db, &Q[Q_DELETE], DB_IN(db_t(name)), NULL, err) != 0)
        return -1;
    return changed(db, err);
}

int policy_doc_versions(struct db *db, const char *name, int64_t before, int64_t limit, struct arena *arena,
                        struct policy_version **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_VERSIONS], DB_IN(db_t(name), db_i(before), db_i(limit)), arena, version_read,
                  sizeof **out, (size_t)limit, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}
