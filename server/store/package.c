/* package.c - see package.h. */
#include "store/package.h"

#include "base/time.h"
#include "store/rows.h"

#include <string.h>

enum { Q_FIND, Q_NAME, Q_ADD_NAME, Q_ADD, Q_CLEAR, Q_HOLD, Q_LIST, Q_VERSIONS, Q_HOLDERS, Q_N };

static const struct db_query Q[Q_N] = {
    [Q_FIND] = { "package.find", "tttt", "i",
        "SELECT p.id FROM package_names n JOIN packages p ON p.name_id = n.id "
        "WHERE n.name = $1 AND n.ecosystem = $2 AND p.version = $3 AND p.arch = $4" },
    [Q_NAME] = { "package.name", "tt", "i", "SELECT id FROM package_names WHERE name = $1 AND ecosystem = $2" },
    [Q_ADD_NAME] = { "package.add_name", "ttt", "i",
        "INSERT INTO package_names (id, ecosystem, name, short_name) "
        "SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM package_names WHERE 1 = 1 RETURNING id" },
    [Q_ADD] = { "package.add", "ittttttt", "i",
        "INSERT INTO packages (id, name_id, version, arch, purl, source_name, source_version, licences, not_evaluable) "
        "SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 FROM packages WHERE 1 = 1 RETURNING id" },
    [Q_CLEAR] = { "package.clear", "i", "", "DELETE FROM image_packages WHERE image_id = $1" },
    [Q_HOLD] = { "package.hold", "iit", "",
        "INSERT INTO image_packages (image_id, package_id, path) VALUES ($1, $2, $3) "
        "ON CONFLICT (image_id, package_id, path) DO NOTHING" },
    [Q_LIST] = { "package.list", "ittiti", "itttttttttt",
        "SELECT p.id, n.name, n.ecosystem, p.version, p.arch, p.purl, p.source_name, p.source_version, p.licences, "
        "p.not_evaluable, ip.path FROM image_packages ip JOIN packages p ON p.id = ip.package_id "
        "JOIN package_names n ON n.id = p.name_id "
        "WHERE ip.image_id = $1 AND ($2 IS NULL OR substr(n.name, 1, length($2)) = $2) "
        "AND (n.name, p.id, ip.path) > ($3, $4, $5) ORDER BY n.name, p.id, ip.path LIMIT $6" },
    [Q_VERSIONS] = { "package.versions", "tt", "itttttii",
        "SELECT p.id, n.name, n.ecosystem, p.version, p.arch, p.purl, COUNT(DISTINCT ip.image_id), n.id "
        "FROM package_names n JOIN packages p ON p.name_id = n.id JOIN image_packages ip ON ip.package_id = p.id "
        "WHERE n.id IN (SELECT id FROM package_names WHERE name = $1 UNION SELECT id FROM package_names WHERE short_name = $1) "
        "AND ($2 IS NULL OR n.ecosystem = $2 OR substr(n.ecosystem, 1, length($2) + 1) = $2 || ':') "
        "GROUP BY p.id, n.name, n.ecosystem, p.version, p.arch, p.purl, n.id ORDER BY p.id" },
    [Q_HOLDERS] = { "package.holders", "iii", "ittttti" "iiii",
        "SELECT i.id, i.digest, r.name, i.tag, r.team, ip.path, i.n_running, i.verdict, i.has_scan, i.scanned_ms, i.db_built_ms "
        "FROM (SELECT h.image_id, MIN(h.path) AS path FROM image_packages h WHERE h.package_id = $1 AND h.image_id > $2 "
        "GROUP BY h.image_id ORDER BY h.image_id LIMIT $3) ip JOIN images i ON i.id = ip.image_id "
        "JOIN repositories r ON r.id = i.repository_id ORDER BY i.id" },
};

const struct db_queries package_queries = { Q, Q_N };

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* What people call it: the Maven artifact, the npm name without its scope, the
 * last element of a Go module. */
static const char *short_name(const char *name)
{
    const char *colon = strrchr(name, ':'), *slash = strrchr(name, '/');
    const char *cut = colon != NULL ? colon : slash;

    return cut != NULL && cut[1] != '\0' ? cut + 1 : name;
}

int package_find(struct db *db, const struct package *p, int64_t *id, struct err *err)
{
    return db_int(db, &Q[Q_FIND], DB_IN(db_t(p->name), db_t(or_empty(p->ecosystem)), db_t(or_empty(p->version)),
                                        db_t(or_empty(p->arch))), 0, id, err);
}

int package_intern(struct db *db, const struct package *p, int64_t *id, struct err *err)
{
    const char *ecosystem = or_empty(p->ecosystem), *why_not = p->is_evaluable ? NULL : p->not_evaluable;
    int64_t found, name;

    if (package_find(db, p, &found, err) != 0)
        return -1;
    if (found == 0) {
        if (db_int(db, &Q[Q_NAME], DB_IN(db_t(p->name), db_t(ecosystem)), 0, &name, err) != 0)
            return -1;
        if (name == 0 && db_int(db, &Q[Q_ADD_NAME], DB_IN(db_t(ecosystem), db_t(p->name), db_t(short_name(p->name))),
                                0, &name, err) != 0)
            return -1;
        if (db_int(db, &Q[Q_ADD], DB_IN(db_i(name), db_t(or_empty(p->version)), db_t(or_empty(p->arch)), db_t(p->purl),
                                        db_t(p->source_name), db_t(p->source_version), db_t(p->licences), db_t(why_not)),
                   0, &found, err) != 0)
            return -1;
    }
    *id = found;
    return 0;
}

int image_packages_clear(struct db *db, int64_t image_id, struct err *err)
{
    return db_exec(db, &Q[Q_CLEAR], DB_IN(db_i(image_id)), NULL, err);
}

int image_packages_add(struct db *db, int64_t image_id, int64_t package_id, const char *path, struct err *err)
{
    return db_exec(db, &Q[Q_HOLD], DB_IN(db_i(image_id), db_i(package_id), db_t(or_empty(path))), NULL, err);
}

static void image_packages_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct image_package *p = out;

    p->id = db_col_i(rows, 0);
    struct package *k = &p->package;
    const char **texts[] = { &k->name, &k->ecosystem, &k->version, &k->arch, &k->purl, &k->source_name,
                             &k->source_version, &k->licences, &k->not_evaluable, &k->path };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, (int)i + 1, arena, failed);
    k->is_evaluable = k->not_evaluable == NULL;
}

int image_packages_list(struct db *db, int64_t image_id, const char *prefix, const char *after_name, int64_t after_id,
                        const char *after_path, int64_t limit, struct arena *arena, struct image_package **items, size_t *n,
                        struct err *err)
{
    return rows_all(db, &Q[Q_LIST], DB_IN(db_i(image_id), db_t(prefix), db_t(or_empty(after_name)), db_i(after_id),
                                           db_t(or_empty(after_path)), db_i(limit)), arena, image_packages_list_row, sizeof(struct image_package), (void **)items, n, err);
}

static void package_versions_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct package_version *v = out;

    const char **texts[] = { &v->name, &v->ecosystem, &v->version, &v->arch, &v->purl };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, (int)i + 1, arena, failed);
    v->id = db_col_i(rows, 0);
    v->images = db_col_i(rows, 6);
}

int package_versions(struct db *db, const char *name, const char *ecosystem, struct arena *arena,
                     struct package_version **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_VERSIONS], DB_IN(db_t(name), db_t(ecosystem)), arena, package_versions_row, sizeof(struct package_version), (void **)items, n, err);
}

static void package_holders_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct package_holder *h = out;

    struct image *m = &h->image;
    const char **texts[] = { &m->digest, &m->repository, &m->tag, &m->team, &h->path };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, (int)i + 1, arena, failed);
    m->id = db_col_i(rows, 0);
    m->running = db_col_i(rows, 6);
    m->verdict = (int)db_col_i(rows, 7);
    m->has_scan = db_col_i(rows, 8) != 0;
    m->scanned_ms = db_col_time(rows, 9);
    m->db_built_ms = db_col_time(rows, 10);
}

int package_holders(struct db *db, int64_t package_id, int64_t after_image, int64_t limit, struct arena *arena,
                    struct package_holder **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_HOLDERS], DB_IN(db_i(package_id), db_i(after_image), db_i(limit)), arena, package_holders_row, sizeof(struct package_holder), (void **)items, n, err);
}
