/* finding.c - see finding.h. */
#include "store/finding.h"

#include "base/time.h"
#include "store/list.h"
#include "store/rows.h"

#define FINDING_COLS \
    "f.vulnerability_id, f.package_id, f.scanner_id, v.name, n.name, p.version, n.ecosystem, f.fixed_version, s.name, " \
    "f.severity_source, f.suppressed, v.title, v.url, v.cvss_vector, p.purl, f.severity, f.status, f.since_ms, v.cvss, v.epss, v.is_kev"
#define FINDING_OUT "iiittttttttttttiiiiii"
#define FINDING_FROM \
    " FROM findings f JOIN vulnerabilities v ON v.id = f.vulnerability_id JOIN scanners s ON s.id = f.scanner_id " \
    "LEFT JOIN packages p ON p.id = f.package_id LEFT JOIN package_names n ON n.id = p.name_id "

enum {
    Q_VULN_FIND, Q_VULN_ADD, Q_VULN_UPDATE, Q_VULN_ALIAS, Q_VULN_GET, Q_VULN_ALIASES, Q_VULN_LIST,
    Q_SCANNER_GET, Q_SCANNER_ADD, Q_LIST, Q_ADD, Q_UPDATE, Q_DELETE, Q_CHANGE_ADD, Q_CHANGE_LIST, Q_HOLDERS,
    Q_ISSUE_CLEAR, Q_ISSUE_ADD, Q_ISSUE_LIST, Q_N
};

static const struct db_query Q[Q_N] = {
    [Q_VULN_FIND] = { "vulnerability.find", "t", "i", "SELECT vulnerability_id FROM vulnerability_aliases WHERE alias = $1" },
    [Q_VULN_ADD] = { "vulnerability.add", "ttttiiii", "i",
        "INSERT INTO vulnerabilities (id, name, title, url, cvss_vector, cvss, epss, is_kev, published_ms) "
        "SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 FROM vulnerabilities WHERE 1 = 1 RETURNING id" },
    [Q_VULN_UPDATE] = { "vulnerability.update", "tttiiiii", "",
        "UPDATE vulnerabilities SET title = COALESCE($1, title), url = COALESCE($2, url), "
        "cvss_vector = COALESCE($3, cvss_vector), cvss = COALESCE($4, cvss), epss = COALESCE($5, epss), "
        "is_kev = CASE WHEN $6 = 1 THEN 1 ELSE is_kev END, published_ms = COALESCE($7, published_ms) WHERE id = $8" },
    [Q_VULN_ALIAS] = { "vulnerability.alias", "ti", "",
        "INSERT INTO vulnerability_aliases (alias, vulnerability_id) VALUES ($1, $2) ON CONFLICT (alias) DO NOTHING" },
    [Q_VULN_GET] = { "vulnerability.get", "i", "ttttiiii",
        "SELECT name, title, url, cvss_vector, cvss, epss, is_kev, published_ms FROM vulnerabilities WHERE id = $1" },
    [Q_VULN_ALIASES] = { "vulnerability.aliases", "i", "t",
        "SELECT alias FROM vulnerability_aliases WHERE vulnerability_id = $1 ORDER BY alias" },
    /* Counted per vulnerability along the index, so that nothing is sorted but one row
     * for each; what else is told is looked up for those on the page only. */
    [Q_VULN_LIST] = { "vulnerability.list", "itii", "itttiiiiiii",
        "SELECT v.id, v.name, v.title, v.url, "
        "(SELECT MAX(f.severity) FROM findings f WHERE f.vulnerability_id = t.id AND f.suppressed IS NULL), v.cvss, v.epss, v.is_kev, t.images, "
        "(SELECT COUNT(DISTINCT f.image_id) FROM findings f JOIN images i ON i.id = f.image_id WHERE f.vulnerability_id = t.id "
        "AND f.suppressed IS NULL AND ($1 IS NULL OR f.severity = $1) AND i.n_running > 0), "
        "(SELECT COUNT(DISTINCT f.image_id) FROM findings f WHERE f.vulnerability_id = t.id AND f.suppressed IS NULL "
        "AND ($1 IS NULL OR f.severity = $1) AND f.fixed_version IS NOT NULL) "
        "FROM (SELECT u.id AS id, (SELECT COUNT(*) FROM (SELECT f.image_id FROM findings f WHERE f.vulnerability_id = u.id "
        "AND f.suppressed IS NULL AND ($1 IS NULL OR f.severity = $1) GROUP BY f.image_id) g) AS images FROM vulnerabilities u "
        "WHERE ($2 IS NULL OR substr(u.name, 1, length($2)) = $2) AND ($3 = 0 OR u.is_kev = 1) ORDER BY images DESC, u.id LIMIT $4) t "
        "JOIN vulnerabilities v ON v.id = t.id WHERE t.images > 0 ORDER BY t.images DESC, t.id" },
    [Q_SCANNER_GET] = { "scanner.get", "t", "i", "SELECT id FROM scanners WHERE name = $1" },
    [Q_SCANNER_ADD] = { "scanner.add", "t", "i",
        "INSERT INTO scanners (id, name) SELECT COALESCE(MAX(id), 0) + 1, $1 FROM scanners WHERE 1 = 1 RETURNING id" },
    [Q_LIST] = { "finding.list", "ii", FINDING_OUT,
        "SELECT " FINDING_COLS FINDING_FROM "WHERE f.image_id = $1 AND ($2 = 0 OR f.scanner_id = $2) "
        "ORDER BY f.vulnerability_id, f.package_id, f.scanner_id" },
    [Q_ADD] = { "finding.add", "iiiiiittti", "",
        "INSERT INTO findings (image_id, vulnerability_id, package_id, scanner_id, severity, status, fixed_version, "
        "severity_source, suppressed, since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (image_id, vulnerability_id, package_id, scanner_id) DO NOTHING" },
    [Q_UPDATE] = { "finding.update", "iitttiiii", "",
        "UPDATE findings SET severity = $1, status = $2, fixed_version = $3, severity_source = $4, suppressed = $5 "
        "WHERE image_id = $6 AND vulnerability_id = $7 AND package_id = $8 AND scanner_id = $9" },
    [Q_DELETE] = { "finding.delete", "iiii", "",
        "DELETE FROM findings WHERE image_id = $1 AND vulnerability_id = $2 AND package_id = $3 AND scanner_id = $4" },
    [Q_CHANGE_ADD] = { "finding.change", "iiiiittt", "",
        "INSERT INTO finding_changes (image_id, at_ms, vulnerability_id, package_id, scanner_id, change, cause, detail) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" },
    [Q_CHANGE_LIST] = { "finding.changes", "ii", "itttttt",
        "SELECT c.at_ms, v.name, n.name, s.name, c.change, c.cause, c.detail FROM finding_changes c "
        "JOIN vulnerabilities v ON v.id = c.vulnerability_id JOIN scanners s ON s.id = c.scanner_id "
        "LEFT JOIN packages p ON p.id = c.package_id LEFT JOIN package_names n ON n.id = p.name_id "
        "WHERE c.image_id = $1 ORDER BY c.at_ms DESC, v.name LIMIT $2" },
    [Q_HOLDERS] = { "finding.holders", "iiiitiii", FINDING_OUT "iittttiiii",
        "SELECT " FINDING_COLS ", i.id, i.n_running, i.digest, r.name, i.tag, r.team, i.verdict, i.has_scan, i.scanned_ms, i.db_built_ms" FINDING_FROM
        "JOIN images i ON i.id = f.image_id JOIN repositories r ON r.id = i.repository_id "
        "WHERE f.vulnerability_id = $1 AND (f.image_id, f.package_id, f.scanner_id) > ($2, $3, $4) AND f.suppressed IS NULL "
        "AND ($5 IS NULL OR r.team = $5) AND ($6 = 0 OR i.n_running > 0) AND ($7 = 0 OR f.fixed_version IS NOT NULL) "
        "ORDER BY f.image_id, f.package_id, f.scanner_id LIMIT $8" },
    [Q_ISSUE_CLEAR] = { "issue.clear", "ii", "", "DELETE FROM issues WHERE image_id = $1 AND scanner_id = $2" },
    [Q_ISSUE_ADD] = { "issue.add", "iiiititttttii", "",
        "INSERT INTO issues (image_id, scanner_id, position, kind, rule, severity, status, title, message, resolution, file, "
        "start_line, since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)" },
    [Q_ISSUE_LIST] = { "issue.list", "i", "itittttttii",
        "SELECT u.kind, u.rule, u.severity, u.status, u.title, u.message, u.resolution, u.file, s.name, u.start_line, u.since_ms "
        "FROM issues u JOIN scanners s ON s.id = u.scanner_id WHERE u.image_id = $1 "
        "ORDER BY u.severity DESC, u.scanner_id, u.position" },
};

const struct db_queries finding_queries = { Q, Q_N };

static struct db_value known(int64_t v)
{
    return v < 0 ? db_i_null() : db_i(v);
}

static int64_t known_col(const struct db_rows *rows, int col)
{
    return db_col_is_null(rows, col) ? -1 : db_col_i(rows, col);
}

int vulnerability_find(struct db *db, const char *name, int64_t *id, struct err *err)
{
    return db_int(db, &Q[Q_VULN_FIND], DB_IN(db_t(name)), 0, id, err);
}

int vulnerability_upsert(struct db *db, const struct vulnerability *v, int64_t *id, struct err *err)
{
    int64_t found;

    if (vulnerability_find(db, v->name, &found, err) != 0)
        return -1;
    bool is_new = found == 0;
    if (is_new && db_int(db, &Q[Q_VULN_ADD],
                         DB_IN(db_t(v->name), db_t(v->title), db_t(v->url), db_t(v->vector), known(v->cvss), known(v->epss),
                               db_i(v->is_kev), db_time(v->published_ms)), 0, &found, err) != 0)
        return -1;
    if (!is_new && db_exec(db, &Q[Q_VULN_UPDATE],
                           DB_IN(db_t(v->title), db_t(v->url), db_t(v->vector), known(v->cvss), known(v->epss),
                                 db_i(v->is_kev), db_time(v->published_ms), db_i(found)), NULL, err) != 0)
        return -1;
    if (is_new && db_exec(db, &Q[Q_VULN_ALIAS], DB_IN(db_t(v->name), db_i(found)), NULL, err) != 0)
        return -1;
    for (size_t i = 0; i < v->n_aliases; i++) {
        if (db_exec(db, &Q[Q_VULN_ALIAS], DB_IN(db_t(v->aliases[i]), db_i(found)), NULL, err) != 0)
            return -1;
    }
    *id = found;
    return 0;
}

static int aliases_of(struct db *db, int64_t id, struct arena *arena, struct vulnerability *v, struct err *err)
{
    struct list list = LIST_OF(const char *, arena);
    struct db_rows rows = { 0 };
    void *items = NULL;

    if (db_rows_open(db, &Q[Q_VULN_ALIASES], DB_IN(db_i(id)), &rows, err) != 0)
        return -1;
    int rc;
    while ((rc = db_rows_next(&rows, err)) == 1) {
        const char *alias = db_col_text(&rows, 0, arena, &list.failed);
        const char **slot = str_eq(alias, v->name) ? NULL : list_add(&list);
        if (slot != NULL)
            *slot = alias;
        if (list.failed)
            break;
    }
    db_rows_close(&rows);
    if (list_done(&list, rc, &items, &v->n_aliases, err) != 0)
        return -1;
    v->aliases = items;
    return 0;
}

int vulnerability_get(struct db *db, int64_t id, struct arena *arena, struct vulnerability *out, struct err *err)
{
    struct db_rows rows = { 0 };
    bool failed = false;
    struct vulnerability v = { .id = id };

    int rc = db_row(db, &Q[Q_VULN_GET], DB_IN(db_i(id)), &rows, err);
    if (rc != 1)
        return rc;
    const char **texts[] = { &v.name, &v.title, &v.url, &v.vector };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(&rows, (int)i, arena, &failed);
    v.cvss = known_col(&rows, 4);
    v.epss = known_col(&rows, 5);
    v.is_kev = db_col_i(&rows, 6) != 0;
    v.published_ms = db_col_time(&rows, 7);
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    if (aliases_of(db, id, arena, &v, err) != 0)
        return -1;
    *out = v;
    return 1;
}

static void vulnerability_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct vulnerability_row *v = out;

    v->id = db_col_i(rows, 0);
    v->name = db_col_text(rows, 1, arena, failed);
    v->title = db_col_text(rows, 2, arena, failed);
    v->url = db_col_text(rows, 3, arena, failed);
    v->severity = db_col_i(rows, 4);
    v->cvss = known_col(rows, 5);
    v->epss = known_col(rows, 6);
    v->is_kev = db_col_i(rows, 7) != 0;
    v->images = db_col_i(rows, 8);
    v->running = db_col_i(rows, 9);
    v->fixable = db_col_i(rows, 10);
}

int vulnerability_list(struct db *db, const char *prefix, bool kev, int severity, int64_t limit, struct arena *arena,
                       struct vulnerability_row **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_VULN_LIST], DB_IN(severity == 0 ? db_i_null() : db_i(severity - 1), db_t(prefix), db_i(kev),
                                               db_i(limit)), arena, vulnerability_list_row, sizeof(struct vulnerability_row), (void **)items, n, err);
}

int scanner_intern(struct db *db, const char *name, int64_t *id, struct err *err)
{
    int64_t found;

    if (db_int(db, &Q[Q_SCANNER_GET], DB_IN(db_t(name)), 0, &found, err) != 0)
        return -1;
    if (found == 0 && db_int(db, &Q[Q_SCANNER_ADD], DB_IN(db_t(name)), 0, &found, err) != 0)
        return -1;
    *id = found;
    return 0;
}

static void finding_row(const struct db_rows *rows, struct arena *arena, struct image_finding *f, bool *failed)
{
    int c = 0;

    f->vulnerability_id = db_col_i(rows, c);
    f->package_id = db_col_i(rows, ++c);
    f->scanner_id = db_col_i(rows, ++c);
    const char **texts[] = { &f->vulnerability, &f->package, &f->version, &f->ecosystem, &f->fixed_version, &f->scanner,
                             &f->severity_source, &f->suppressed, &f->title, &f->url, &f->vector, &f->purl };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, ++c, arena, failed);
    f->severity = (int)db_col_i(rows, ++c);
    f->status = (int)db_col_i(rows, ++c);
    f->since_ms = db_col_i(rows, ++c);
    f->cvss = known_col(rows, ++c);
    f->epss = known_col(rows, ++c);
    f->is_kev = db_col_i(rows, ++c) != 0;
}

static void finding_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct image_finding *f = out;

    finding_row(rows, arena, f, failed);
}

int finding_list(struct db *db, int64_t image_id, int64_t scanner_id, struct arena *arena,
                 struct image_finding **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_LIST], DB_IN(db_i(image_id), db_i(scanner_id)), arena, finding_list_row, sizeof(struct image_finding), (void **)items, n, err);
}

int finding_insert(struct db *db, int64_t image_id, const struct image_finding *f, struct err *err)
{
    return db_exec(db, &Q[Q_ADD], DB_IN(db_i(image_id), db_i(f->vulnerability_id), db_i(f->package_id), db_i(f->scanner_id),
                                        db_i(f->severity), db_i(f->status), db_t(f->fixed_version), db_t(f->severity_source),
                                        db_t(f->suppressed), db_i(f->since_ms)), NULL, err);
}

int finding_update(struct db *db, int64_t image_id, const struct image_finding *f, struct err *err)
{
    return db_exec(db, &Q[Q_UPDATE], DB_IN(db_i(f->severity), db_i(f->status), db_t(f->fixed_version), db_t(f->severity_source),
                                           db_t(f->suppressed), db_i(image_id), db_i(f->vulnerability_id), db_i(f->package_id),
                                           db_i(f->scanner_id)), NULL, err);
}

int finding_delete(struct db *db, int64_t image_id, const struct image_finding *f, struct err *err)
{
    return db_exec(db, &Q[Q_DELETE], DB_IN(db_i(image_id), db_i(f->vulnerability_id), db_i(f->package_id), db_i(f->scanner_id)),
                   NULL, err);
}

int finding_change_insert(struct db *db, int64_t image_id, const struct finding_change *c, struct err *err)
{
    return db_exec(db, &Q[Q_CHANGE_ADD], DB_IN(db_i(image_id), db_i(c->at_ms), db_i(c->vulnerability_id), db_i(c->package_id),
                                               db_i(c->scanner_id), db_t(c->change), db_t(c->cause), db_t(c->detail)), NULL, err);
}

static void finding_change_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct finding_change *c = out;

    c->at_ms = db_col_i(rows, 0);
    const char **texts[] = { &c->vulnerability, &c->package, &c->scanner, &c->change, &c->cause, &c->detail };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, (int)i + 1, arena, failed);
}

int finding_change_list(struct db *db, int64_t image_id, int64_t limit, struct arena *arena,
                        struct finding_change **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_CHANGE_LIST], DB_IN(db_i(image_id), db_i(limit)), arena, finding_change_list_row, sizeof(struct finding_change), (void **)items, n, err);
}

static void finding_holders_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct finding_holder *h = out;

    enum { AFTER = sizeof FINDING_OUT - 1 };
    finding_row(rows, arena, &h->finding, failed);
    struct image *m = &h->image;
    m->id = db_col_i(rows, AFTER);
    m->running = db_col_i(rows, AFTER + 1);
    const char **texts[] = { &m->digest, &m->repository, &m->tag, &m->team };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, AFTER + 2 + (int)i, arena, failed);
    m->verdict = (int)db_col_i(rows, AFTER + 6);
    m->has_scan = db_col_i(rows, AFTER + 7) != 0;
    m->scanned_ms = db_col_time(rows, AFTER + 8);
    m->db_built_ms = db_col_time(rows, AFTER + 9);
}

int finding_holders(struct db *db, int64_t vulnerability_id, const char *team, bool running, bool fixable,
                    const int64_t after[3], int64_t limit, struct arena *arena, struct finding_holder **items, size_t *n,
                    struct err *err)
{
    return rows_all(db, &Q[Q_HOLDERS], DB_IN(db_i(vulnerability_id), db_i(after[0]), db_i(after[1]), db_i(after[2]),
                                             db_t(team), db_i(running), db_i(fixable), db_i(limit)),
                    arena, finding_holders_row, sizeof(struct finding_holder), (void **)items, n, err);
}

int issue_clear(struct db *db, int64_t image_id, int64_t scanner_id, struct err *err)
{
    return db_exec(db, &Q[Q_ISSUE_CLEAR], DB_IN(db_i(image_id), db_i(scanner_id)), NULL, err);
}

int issue_insert(struct db *db, int64_t image_id, int64_t scanner_id, int64_t position, const struct image_issue *u,
                 struct err *err)
{
    return db_exec(db, &Q[Q_ISSUE_ADD], DB_IN(db_i(image_id), db_i(scanner_id), db_i(position), db_i(u->kind), db_t(u->rule),
                                              db_i(u->severity), db_t(u->status), db_t(u->title), db_t(u->message),
                                              db_t(u->resolution), db_t(u->file), db_i(u->start_line), db_i(u->since_ms)),
                   NULL, err);
}

static void issue_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct image_issue *u = out;

    u->kind = (int)db_col_i(rows, 0);
    u->rule = db_col_text(rows, 1, arena, failed);
    u->severity = (int)db_col_i(rows, 2);
    const char **texts[] = { &u->status, &u->title, &u->message, &u->resolution, &u->file, &u->scanner };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, (int)i + 3, arena, failed);
    u->start_line = db_col_i(rows, 9);
    u->since_ms = db_col_i(rows, 10);
}

int issue_list(struct db *db, int64_t image_id, struct arena *arena, struct image_issue **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_ISSUE_LIST], DB_IN(db_i(image_id)), arena, issue_list_row, sizeof(struct image_issue), (void **)items, n, err);
}
