/* recheck.c - see recheck.h.
 *
 * Repository patterns are matched here and not in SQL (LIKE differs between the
 * engines): the candidates are few whenever the scope names a vulnerability or
 * a digest. */
#include "store/recheck.h"
#include "store/rows.h"

#define CANDIDATES "SELECT i.id, r.name FROM images i JOIN repositories r ON r.id = i.repository_id WHERE "
#define PACKAGED(n, p) "(" p " IS NULL OR EXISTS (SELECT 1 FROM packages p JOIN package_names n ON n.id = p.name_id" \
                       " WHERE p.id = " n " AND n.name = " p "))"
#define RUNS_IN(p) "(" p " IS NULL OR EXISTS (SELECT 1 FROM running x WHERE x.image_id = i.id AND x.namespace = " p "))"

enum { Q_MARK_ALL, Q_MARK, Q_VULNERABILITY, Q_BY_DIGEST, Q_BY_FINDING, Q_BY_PACKAGE, Q_EVERY, Q_N };
static const struct db_query Q[] = {
    [Q_MARK_ALL] = { "recheck.mark_all", "", "", "UPDATE images SET next_check_ms = 0 WHERE next_check_ms <> 0" },
    [Q_MARK]     = { "recheck.mark", "i", "", "UPDATE images SET next_check_ms = 0 WHERE id = $1" },
    [Q_VULNERABILITY] = { "recheck.vulnerability", "t", "i",
        "SELECT id FROM vulnerabilities WHERE name = $1"
        " UNION SELECT vulnerability_id FROM vulnerability_aliases WHERE alias = $1" },
    [Q_BY_DIGEST] = { "recheck.by_digest", "titt", "it",
        CANDIDATES "i.id IN (SELECT id FROM images WHERE digest = $1"
        " UNION SELECT image_id FROM digest_aliases WHERE digest = $1)"
        " AND ($2 IS NULL OR EXISTS (SELECT 1 FROM findings f WHERE f.image_id = i.id AND f.vulnerability_id = $2"
        " AND " PACKAGED("f.package_id", "$3") "))"
        " AND " RUNS_IN("$4") },
    [Q_BY_FINDING] = { "recheck.by_finding", "itt", "it",
        CANDIDATES "i.id IN (SELECT f.image_id FROM findings f WHERE f.vulnerability_id = $1"
        " AND " PACKAGED("f.package_id", "$2") ") AND " RUNS_IN("$3") },
    [Q_BY_PACKAGE] = { "recheck.by_package", "tt", "it",
        CANDIDATES "i.id IN (SELECT ip.image_id FROM package_names n JOIN packages p ON p.name_id = n.id"
        " JOIN image_packages ip ON ip.package_id = p.id WHERE n.name = $1) AND " RUNS_IN("$2") },
    [Q_EVERY]    = { "recheck.every", "t", "it", CANDIDATES RUNS_IN("$1") },
};
const struct db_queries recheck_queries = { Q, Q_N };

/* The candidates of a scope, or none: *known is false when the vulnerability has
 * never been seen. */
static int candidates(struct db *db, const struct recheck_scope *s, struct db_rows *rows, bool *known, struct err *err)
{
    int64_t vulnerability = -1;

    if (s->vulnerability != NULL &&
        db_int(db, &Q[Q_VULNERABILITY], DB_IN(db_t(s->vulnerability)), -1, &vulnerability, err) != 0)
        return -1;
    *known = s->vulnerability == NULL || vulnerability != -1;
    if (!*known)
        return 0;
    if (s->digest != NULL)
        return db_rows_open(db, &Q[Q_BY_DIGEST], DB_IN(db_t(s->digest),
                            s->vulnerability == NULL ? db_i_null() : db_i(vulnerability),
                            db_t(s->package), db_t(s->namespace)), rows, err);
    if (s->vulnerability != NULL)
        return db_rows_open(db, &Q[Q_BY_FINDING], DB_IN(db_i(vulnerability), db_t(s->package), db_t(s->namespace)),
                            rows, err);
    if (s->package != NULL)
        return db_rows_open(db, &Q[Q_BY_PACKAGE], DB_IN(db_t(s->package), db_t(s->namespace)), rows, err);
    return db_rows_open(db, &Q[Q_EVERY], DB_IN(db_t(s->namespace)), rows, err);
}

struct id_list {
    int64_t *ids;
    size_t n, cap;
};

static bool keep_id(struct id_list *list, struct arena *arena, int64_t id)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 64 : list->cap * 2;
        int64_t *more = arena_array(arena, cap, sizeof *more);
        if (more == NULL)
            return false;
        for (size_t i = 0; i < list->n; i++)
            more[i] = list->ids[i];
        list->ids = more;
        list->cap = cap;
    }
    list->ids[list->n++] = id;
    return true;
}

/* Goes over the images in scope; list NULL: only counts. */
static int matching(struct db *db, const struct recheck_scope *s, struct arena *arena, struct id_list *list,
                    int64_t *n, struct err *err)
{
    struct db_rows rows = { 0 };
    bool known;
    int64_t count = 0;
    int rc = 0;

    if (candidates(db, s, &rows, &known, err) != 0)
        return -1;
    while (known && (rc = db_rows_next(&rows, err)) > 0) {
        if (s->repository != NULL && !str_match(s->repository, db_col_t(&rows, 1)))
            continue;
        count++;
        if (list != NULL && !keep_id(list, arena, db_col_i(&rows, 0))) {
            rc = err_nomem(err);
            break;
        }
    }
    db_rows_close(&rows);
    if (rc < 0)
        return -1;
    *n = count;
    return 0;
}

static bool is_everything(const struct recheck_scope *s)
{
    return s->repository == NULL && s->digest == NULL && s->vulnerability == NULL && s->package == NULL &&
           s->namespace == NULL;
}

int recheck_mark(struct db *db, const struct recheck_scope *scope, struct arena *arena, int64_t *n, struct err *err)
{
    struct id_list list = { 0 };
    int64_t count;

    if (is_everything(scope))
        return db_exec(db, &Q[Q_MARK_ALL], DB_NONE, n, err);
    if (matching(db, scope, arena, &list, &count, err) != 0)
        return -1;
    for (size_t i = 0; i < list.n; i++)
        if (db_exec(db, &Q[Q_MARK], DB_IN(db_i(list.ids[i])), NULL, err) != 0)
            return -1;
    if (n != NULL)
        *n = count;
    return 0;
}

int recheck_count(struct db *db, const struct recheck_scope *scope, int64_t *n, struct err *err)
{
    return matching(db, scope, NULL, NULL, n, err);
}
