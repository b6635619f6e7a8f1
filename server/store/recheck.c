/* recheck.c - see recheck.h.
 *
 * Repository patterns are matched here and not in SQL (LIKE differs between the
 * engines): the candidates are few whenever the scope names a vulnerability or
 * a digest. */
#include "store/recheck.h"
#include "store/finding.h"
#include "store/image.h"
#include "store/list.h"
#include "wire/imageref.h"

#define CANDIDATES "SELECT i.id, i.digest, r.name FROM images i JOIN repositories r ON r.id = i.repository_id WHERE "
#define PACKAGED(n, p) "(" p " IS NULL OR EXISTS (SELECT 1 FROM packages p JOIN package_names n ON n.id = p.name_id" \
                       " WHERE p.id = " n " AND (n.name = " p " OR n.short_name = " p ")))"
#define RUNS_IN(p) "(" p " IS NULL OR EXISTS (SELECT 1 FROM running x WHERE x.image_id = i.id AND x.namespace = " p "))"

enum { Q_BY_DIGEST, Q_BY_FINDING, Q_BY_PACKAGE, Q_EVERY, Q_N };
static const struct db_query Q[] = {
    [Q_BY_DIGEST] = { "recheck.by_digest", "titt", "itt",
        CANDIDATES "i.id IN (SELECT id FROM images WHERE digest = $1"
        " UNION SELECT image_id FROM digest_aliases WHERE digest = $1)"
        " AND ($2 IS NULL OR EXISTS (SELECT 1 FROM findings f WHERE f.image_id = i.id AND f.vulnerability_id = $2"
        " AND " PACKAGED("f.package_id", "$3") "))"
        " AND " RUNS_IN("$4") },
    [Q_BY_FINDING] = { "recheck.by_finding", "itt", "itt",
        CANDIDATES "i.id IN (SELECT f.image_id FROM findings f WHERE f.vulnerability_id = $1"
        " AND " PACKAGED("f.package_id", "$2") ") AND " RUNS_IN("$3") },
    [Q_BY_PACKAGE] = { "recheck.by_package", "tt", "itt",
        CANDIDATES "i.id IN (SELECT ip.image_id FROM package_names n JOIN packages p ON p.name_id = n.id"
        " JOIN image_packages ip ON ip.package_id = p.id WHERE n.name = $1 OR n.short_name = $1)"
        " AND " RUNS_IN("$2") },
    [Q_EVERY]    = { "recheck.every", "t", "itt", CANDIDATES RUNS_IN("$1") },
};
const struct db_queries recheck_queries = { Q, Q_N };

/* Rows of the candidates; *known is false when the vulnerability has
 * never been seen. */
static int candidates(struct db *db, const struct recheck_scope *s, struct db_rows *rows, bool *known, struct err *err)
{
    int64_t vulnerability = 0;

    if (s->vulnerability != NULL && vulnerability_find(db, s->vulnerability, &vulnerability, err) != 0)
        return -1;
    *known = s->vulnerability == NULL || vulnerability != 0;
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

/* Goes over the images in scope; list NULL: only counts. */
static int matching(struct db *db, const struct recheck_scope *s, size_t max, struct list *list, size_t *n, struct err *err)
{
    struct db_rows rows = { 0 };
    bool known;
    size_t count = 0;
    int rc = 0;

    if (candidates(db, s, &rows, &known, err) != 0)
        return -1;
    while (known && (rc = db_rows_next(&rows, err)) > 0) {
        if (s->repository != NULL && !imageref_name_match(s->repository, db_col_t(&rows, 2)))
            continue;
        if (count++ == max) {
            rc = err_set(err, ERR_TOO_LARGE, "more than %zu images", max);
            break;
        }
        struct recheck_image *image = list == NULL ? NULL : list_add(list);
        if (image == NULL)
            continue;
        image->id = db_col_i(&rows, 0);
        image->digest = db_col_text(&rows, 1, list->arena, &list->failed);
        image->repository = db_col_text(&rows, 2, list->arena, &list->failed);
    }
    db_rows_close(&rows);
    if (rc < 0)
        return -1;
    *n = count;
    return 0;
}

int recheck_list(struct db *db, const struct recheck_scope *scope, size_t max, struct arena *arena,
                 struct recheck_image **out, size_t *n, struct err *err)
{
    struct list list = LIST_OF(struct recheck_image, arena);
    void *items;

    if (matching(db, scope, max, &list, n, err) != 0 || list_done(&list, 0, &items, n, err) != 0)
        return -1;
    *out = items;
    return 0;
}

static bool is_everything(const struct recheck_scope *s)
{
    return s->repository == NULL && s->digest == NULL && s->vulnerability == NULL && s->package == NULL &&
           s->namespace == NULL;
}

int recheck_mark(struct db *db, const struct recheck_scope *scope, const char *cause, struct arena *arena, struct err *err)
{
    struct recheck_image *images;
    size_t n;

    if (is_everything(scope))
        return image_mark_all(db, cause, err);
    if (recheck_list(db, scope, RECHECK_MAX, arena, &images, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (image_mark(db, images[i].id, cause, err) != 0)
            return -1;
    return 0;
}

int recheck_count(struct db *db, const struct recheck_scope *scope, int64_t *n, struct err *err)
{
    size_t count;

    if (matching(db, scope, SIZE_MAX, NULL, &count, err) != 0)
        return -1;
    *n = (int64_t)count;
    return 0;
}
