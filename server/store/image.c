/* image.c - see image.h: rows <-> struct image. */
#include "store/image.h"

#include "base/time.h"
#include "store/posture.h"
#include "store/rows.h"
#include "wire/imageref.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE_COLS \
    "i.id, i.repository_id, i.digest, r.name, i.tag, r.team, i.os_family, i.os_version, i.arch, i.base_image, " \
    "i.first_seen_ms, i.last_seen_ms, i.inventory_ms, i.scanned_ms, i.db_built_ms, i.n_packages, i.n_evaluable, " \
    "i.n_running, i.n_critical, i.n_high, i.n_medium, i.n_low, i.n_other, i.n_fixable, i.n_kev, i.n_secrets, " \
    "i.n_malware, i.n_misconfig, i.n_excepted, i.is_signed, i.has_scan, i.verdict, i.verdict_since_ms, i.next_check_ms"
#define IMAGE_OUT "iittttttttiiiiiiiiiiiiiiiiiiiiiiii"
#define IMAGE_FROM " FROM images i JOIN repositories r ON r.id = i.repository_id "

/* enum freshness of a row, given the two oldest times that are still fresh. */
#define FRESHNESS_SQL \
    "CASE WHEN i.has_scan = 0 THEN 1 WHEN i.scanned_ms IS NULL THEN 0 WHEN i.scanned_ms < $1 THEN 2 " \
    "WHEN i.db_built_ms IS NULL THEN 0 WHEN i.db_built_ms < $2 THEN 3 ELSE 4 END"

#define IMAGE_FILTER \
    "WHERE ($3 IS NULL OR " FRESHNESS_SQL " = $3)" \
    " AND ($4 = 0 OR " FRESHNESS_SQL " IN (1, 2, 3))" \
    " AND ($5 IS NULL OR i.verdict = $5)" \
    " AND ($6 IS NULL OR r.team = $6)" \
    " AND ($7 IS NULL OR substr(r.name, 1, length($7)) = $7 OR substr(i.digest, 1, length($7)) = $7)" \
    " AND ($8 = 0 OR i.n_running > 0)" \
    " AND ($9 IS NULL OR EXISTS (SELECT 1 FROM running w WHERE w.image_id = i.id AND w.cluster = $9))" \
    " AND ($10 = 0 OR (i.has_scan = 1 AND i.is_signed = 0))" \
    " AND ($11 IS NULL OR EXISTS (SELECT 1 FROM findings f JOIN vulnerability_aliases a" \
    "      ON a.vulnerability_id = f.vulnerability_id WHERE a.alias = $11 AND f.image_id = i.id AND f.suppressed IS NULL))" \
    " AND ($12 IS NULL OR EXISTS (SELECT 1 FROM package_names n JOIN packages p ON p.name_id = n.id" \
    "      JOIN image_packages ip ON ip.package_id = p.id WHERE n.name = $12 AND ip.image_id = i.id))" \
    " AND ($13 IS NULL OR (i.has_scan = 1 AND i.scanned_ms <= $13))" \
    " AND ($14 IS NULL OR (i.has_scan = 1 AND i.scanned_ms > $14))"
#define FILTER_IN "iiiiittitittii"

/* The first appearance of a parameter decides its number on SQLite, so the two
 * freshness limits must come first: a row of constants in front does that. */
#define LIMITS_FIRST "WITH limits AS (SELECT $1 AS scan, $2 AS db) "

enum {
    Q_REPO_ADD, Q_REPO_GET, Q_REPO_TEAM, Q_REPO_SET_TEAM, Q_REPO_LIST,
    Q_FIND, Q_GET, Q_BY_TAG, Q_NAME_OF, Q_ADD, Q_ALIAS, Q_TAG, Q_DESCRIBE, Q_INVENTORY, Q_GET_INVENTORY, Q_CLOCKS,
    Q_JUDGEMENT, Q_MARK, Q_MARK_ALL, Q_MARK_VULN, Q_POSTPONE, Q_DUE, Q_ALIASES, Q_TAGS,
    Q_LIST_STALE, Q_LIST_RISK, Q_LIST_NAME, Q_LIST_RECENT, Q_COUNT, Q_N
};

static const struct db_query Q[Q_N] = {
    [Q_REPO_ADD] = { "repository.add", "tti", "i",
        "INSERT INTO repositories (id, name, team, created_ms) "
        "SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM repositories WHERE 1 = 1 "
        "ON CONFLICT (name) DO NOTHING RETURNING id" },
    [Q_REPO_GET] = { "repository.get", "t", "it", "SELECT id, team FROM repositories WHERE name = $1" },
    [Q_REPO_TEAM] = { "repository.adopt", "ti", "", "UPDATE repositories SET team = $1 WHERE id = $2 AND team = ''" },
    [Q_REPO_SET_TEAM] = { "repository.set_team", "tt", "", "UPDATE repositories SET team = $1 WHERE name = $2" },
    [Q_REPO_LIST] = { "repository.list", "tti", "ttii",
        "SELECT r.name, r.team, COUNT(i.id), CAST(COALESCE(SUM(CASE WHEN i.verdict = 1 THEN 1 ELSE 0 END), 0) AS BIGINT) "
        "FROM repositories r LEFT JOIN images i ON i.repository_id = r.id "
        "WHERE r.name > $1 AND ($2 IS NULL OR substr(r.name, 1, length($2)) = $2) "
        "GROUP BY r.name, r.team ORDER BY r.name LIMIT $3" },
    [Q_FIND] = { "image.find", "t", IMAGE_OUT,
        "SELECT " IMAGE_COLS IMAGE_FROM "WHERE i.id = (SELECT image_id FROM digest_aliases WHERE digest = $1)" },
    [Q_GET] = { "image.get", "i", IMAGE_OUT, "SELECT " IMAGE_COLS IMAGE_FROM "WHERE i.id = $1" },
    [Q_BY_TAG] = { "image.by_tag", "tt", "i",
        "SELECT t.image_id FROM image_tags t JOIN repositories r ON r.id = t.repository_id WHERE r.name = $1 AND t.tag = $2" },
    [Q_NAME_OF] = { "image.name_of", "i", "t", "SELECT r.name" IMAGE_FROM "WHERE i.id = $1" },
    [Q_ADD] = { "image.add", "tii", "i",
        "INSERT INTO images (id, digest, repository_id, first_seen_ms, last_seen_ms, has_scan, n_packages, n_evaluable, "
        "n_critical, n_high, n_medium, n_low, n_other, n_fixable, n_kev, n_secrets, n_malware, n_misconfig, n_excepted, "
        "is_signed, n_running, stale_order, risk_order, verdict, verdict_since_ms, next_check_ms) "
        "SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $3, 0 "
        "FROM images WHERE 1 = 1 RETURNING id" },
    [Q_ALIAS] = { "image.alias", "tit", "",
        "INSERT INTO digest_aliases (digest, image_id, kind) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING" },
    [Q_TAG] = { "image.tag", "itii", "",
        "INSERT INTO image_tags (repository_id, tag, image_id, seen_ms) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (repository_id, tag) DO UPDATE SET image_id = excluded.image_id, seen_ms = excluded.seen_ms "
        "WHERE excluded.seen_ms >= image_tags.seen_ms" },
    [Q_DESCRIBE] = { "image.describe", "tttttii", "",
        "UPDATE images SET tag = COALESCE($1, tag), os_family = COALESCE($2, os_family), "
        "os_version = COALESCE($3, os_version), arch = COALESCE($4, arch), base_image = COALESCE($5, base_image), "
        "last_seen_ms = CASE WHEN last_seen_ms < $6 THEN $6 ELSE last_seen_ms END WHERE id = $7" },
    [Q_INVENTORY] = { "image.set_inventory", "ibiii", "",
        "UPDATE images SET inventory_ms = $1, inventory_hash = $2, n_packages = $3, n_evaluable = $4 WHERE id = $5" },
    [Q_GET_INVENTORY] = { "image.inventory", "i", "ib", "SELECT inventory_ms, inventory_hash FROM images WHERE id = $1" },
    [Q_CLOCKS] = { "image.set_clocks", "iiiii", "",
        "UPDATE images SET has_scan = 1, scanned_ms = $1, db_built_ms = $2, is_signed = $3, stale_order = $4 WHERE id = $5" },
    [Q_JUDGEMENT] = { "image.set_judgement", "iiiiiiiiiiiiiiii", "",
        "UPDATE images SET n_critical = $1, n_high = $2, n_medium = $3, n_low = $4, n_other = $5, n_fixable = $6, n_kev = $7, "
        "n_secrets = $8, n_malware = $9, n_misconfig = $10, n_excepted = $11, risk_order = $12, verdict = $13, "
        "verdict_since_ms = $14, next_check_ms = $15, check_cause = NULL WHERE id = $16" },
    [Q_MARK] = { "image.mark", "ti", "", "UPDATE images SET next_check_ms = 0, check_cause = $1 WHERE id = $2" },
    [Q_MARK_ALL] = { "image.mark_all", "t", "", "UPDATE images SET next_check_ms = 0, check_cause = $1" },
    [Q_MARK_VULN] = { "image.mark_by_vulnerability", "tt", "",
        "UPDATE images SET next_check_ms = 0, check_cause = $1 WHERE id IN (SELECT f.image_id FROM findings f "
        "JOIN vulnerability_aliases a ON a.vulnerability_id = f.vulnerability_id WHERE a.alias = $2)" },
    [Q_POSTPONE] = { "image.postpone", "ii", "", "UPDATE images SET next_check_ms = $1 WHERE id = $2" },
    [Q_DUE] = { "image.due", "ii", "it",
        "SELECT id, check_cause FROM images WHERE next_check_ms <= $1 ORDER BY next_check_ms, id LIMIT $2" },
    [Q_ALIASES] = { "image.aliases", "i", "tt", "SELECT digest, kind FROM digest_aliases WHERE image_id = $1 ORDER BY digest" },
    [Q_TAGS] = { "image.tags", "i", "t", "SELECT tag FROM image_tags WHERE image_id = $1 ORDER BY seen_ms DESC, tag" },
    [Q_LIST_STALE] = { "image.list_stale", FILTER_IN "iii", IMAGE_OUT,
        LIMITS_FIRST "SELECT " IMAGE_COLS IMAGE_FROM IMAGE_FILTER
        " AND (i.stale_order, i.id) > ($15, $16) ORDER BY i.stale_order, i.id LIMIT $17" },
    [Q_LIST_RISK] = { "image.list_risk", FILTER_IN "iii", IMAGE_OUT,
        LIMITS_FIRST "SELECT " IMAGE_COLS IMAGE_FROM IMAGE_FILTER
        " AND (i.risk_order, i.id) > ($15, $16) ORDER BY i.risk_order, i.id LIMIT $17" },
    [Q_LIST_NAME] = { "image.list_name", FILTER_IN "tii", IMAGE_OUT,
        LIMITS_FIRST "SELECT " IMAGE_COLS IMAGE_FROM IMAGE_FILTER
        " AND (r.name, i.id) > ($15, $16) ORDER BY r.name, i.id LIMIT $17" },
    [Q_LIST_RECENT] = { "image.list_recent", FILTER_IN "iii", IMAGE_OUT,
        LIMITS_FIRST "SELECT " IMAGE_COLS IMAGE_FROM IMAGE_FILTER
        " AND (i.last_seen_ms, i.id) < ($15, $16) ORDER BY i.last_seen_ms DESC, i.id DESC LIMIT $17" },
    [Q_COUNT] = { "image.count", FILTER_IN, "i", LIMITS_FIRST "SELECT COUNT(*)" IMAGE_FROM IMAGE_FILTER },
};

const struct db_queries image_queries = { Q, Q_N };

static void image_row(const struct db_rows *rows, const struct freshness_limits *limits, int64_t now_ms,
                      struct arena *arena, struct image *m, bool *failed)
{
    int c = 0;

    *m = (struct image){ .id = db_col_i(rows, c) };
    m->repository_id = db_col_i(rows, ++c);
    const char **texts[] = { &m->digest, &m->repository, &m->tag, &m->team, &m->os_family, &m->os_version,
                             &m->arch, &m->base_image };
    for (size_t i = 0; i < N_ITEMS(texts); i++)
        *texts[i] = db_col_text(rows, ++c, arena, failed);
    int64_t *times[] = { &m->first_seen_ms, &m->last_seen_ms, &m->inventory_ms, &m->scanned_ms, &m->db_built_ms };
    for (size_t i = 0; i < N_ITEMS(times); i++)
        *times[i] = db_col_time(rows, ++c);
    struct image_counts *n = &m->counts;
    int64_t *numbers[] = { &m->packages, &m->evaluable, &m->running, &n->critical, &n->high, &n->medium, &n->low, &n->other,
                           &n->fixable, &n->kev, &n->secrets, &n->malware, &n->misconfigurations, &n->excepted };
    for (size_t i = 0; i < N_ITEMS(numbers); i++)
        *numbers[i] = db_col_i(rows, ++c);
    m->is_signed = db_col_i(rows, ++c) != 0;
    m->has_scan = db_col_i(rows, ++c) != 0;
    m->verdict = (int)db_col_i(rows, ++c);
    m->verdict_since_ms = db_col_i(rows, ++c);
    m->next_check_ms = db_col_i(rows, ++c);
    m->reference = m->tag == NULL ? m->repository : arena_printf(arena, "%s:%s", m->repository, m->tag);
    *failed |= m->reference == NULL;
    m->freshness = (int)freshness_decide(m, limits, now_ms);
}

static int one_image(struct db *db, int query, const struct db_value *in, const struct freshness_limits *limits,
                     int64_t now_ms, struct arena *arena, struct image *out, struct err *err)
{
    struct db_rows rows = { 0 };
    bool failed = false;
    struct image found;

    int rc = db_row(db, &Q[query], in, 1, &rows, err);
    if (rc != 1)
        return rc;
    image_row(&rows, limits, now_ms, arena, &found, &failed);
    db_rows_close(&rows);
    if (failed)
        return err_nomem(err);
    *out = found;
    return 1;
}

int image_find(struct db *db, const char *digest, const struct freshness_limits *limits, int64_t now_ms,
               struct arena *arena, struct image *out, struct err *err)
{
    struct db_value in = db_t(digest);

    return one_image(db, Q_FIND, &in, limits, now_ms, arena, out, err);
}

int image_get(struct db *db, int64_t id, const struct freshness_limits *limits, int64_t now_ms,
              struct arena *arena, struct image *out, struct err *err)
{
    struct db_value in = db_i(id);

    return one_image(db, Q_GET, &in, limits, now_ms, arena, out, err);
}

int image_find_by_tag(struct db *db, const char *repository, const char *tag, int64_t *id, struct err *err)
{
    int64_t found;

    if (db_int(db, &Q[Q_BY_TAG], DB_IN(db_t(repository), db_t(tag)), 0, &found, err) != 0)
        return -1;
    if (found != 0)
        *id = found;
    return found != 0;
}

int repository_upsert(struct db *db, const char *name, const char *team, int64_t now_ms, int64_t *id, struct err *err)
{
    struct db_rows rows = { 0 };
    int64_t known;

    int rc = db_row(db, &Q[Q_REPO_GET], DB_IN(db_t(name)), &rows, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return db_int(db, &Q[Q_REPO_ADD], DB_IN(db_t(name), db_t(team != NULL ? team : ""), db_i(now_ms)), 0, id, err);
    known = db_col_i(&rows, 0);
    bool adopt = team != NULL && *team != '\0' && *db_col_t(&rows, 1) == '\0';
    db_rows_close(&rows);
    if (adopt && (trend_move(db, now_ms, known, "", team, err) != 0 ||
                  db_exec(db, &Q[Q_REPO_TEAM], DB_IN(db_t(team), db_i(known)), NULL, err) != 0))
        return -1;
    *id = known;
    return 0;
}

int repository_set_team(struct db *db, const char *name, const char *team, int64_t now_ms, struct err *err)
{
    struct db_rows rows = { 0 };
    struct arena arena;
    bool failed = false;

    int rc = db_row(db, &Q[Q_REPO_GET], DB_IN(db_t(name)), &rows, err);
    if (rc != 1)
        return rc;
    arena_init(&arena, 64 << 10);
    int64_t id = db_col_i(&rows, 0);
    const char *was = db_col_text(&rows, 1, &arena, &failed);
    db_rows_close(&rows);
    rc = failed ? err_nomem(err) : str_eq(was, team) ? 0 : trend_move(db, now_ms, id, was, team, err);
    arena_clear(&arena);
    if (rc != 0 || db_exec(db, &Q[Q_REPO_SET_TEAM], DB_IN(db_t(team), db_t(name)), NULL, err) != 0)
        return -1;
    return 1;
}

int image_insert(struct db *db, const char *digest, int64_t repository_id, int64_t now_ms, int64_t *id, struct err *err)
{
    int64_t made;

    if (db_int(db, &Q[Q_ADD], DB_IN(db_t(digest), db_i(repository_id), db_i(now_ms)), 0, &made, err) != 0 ||
        image_add_alias(db, made, digest, "subject", err) != 0)
        return -1;
    *id = made;
    return 0;
}

int image_add_alias(struct db *db, int64_t id, const char *digest, const char *kind, struct err *err)
{
    return db_exec(db, &Q[Q_ALIAS], DB_IN(db_t(digest), db_i(id), db_t(kind)), NULL, err);
}

int image_add_tag(struct db *db, int64_t id, int64_t repository_id, const char *tag, int64_t now_ms, struct err *err)
{
    return db_exec(db, &Q[Q_TAG], DB_IN(db_i(repository_id), db_t(tag), db_i(id), db_i(now_ms)), NULL, err);
}

int image_describe(struct db *db, int64_t id, const char *tag, const char *os_family, const char *os_version,
                   const char *arch, const char *base_image, int64_t seen_ms, struct err *err)
{
    return db_exec(db, &Q[Q_DESCRIBE], DB_IN(db_t(tag), db_t(os_family), db_t(os_version), db_t(arch), db_t(base_image),
                                             db_i(seen_ms), db_i(id)), NULL, err);
}

int image_set_inventory(struct db *db, int64_t id, int64_t inventory_ms, const void *hash, size_t hash_len,
                        int64_t packages, int64_t evaluable, struct err *err)
{
    return db_exec(db, &Q[Q_INVENTORY], DB_IN(db_time(inventory_ms), db_b(hash, hash_len), db_i(packages),
                                              db_i(evaluable), db_i(id)), NULL, err);
}

int image_inventory(struct db *db, int64_t id, int64_t *inventory_ms, unsigned char hash[32], bool *has_hash, struct err *err)
{
    struct db_rows rows = { 0 };

    int rc = db_row(db, &Q[Q_GET_INVENTORY], DB_IN(db_i(id)), &rows, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "image %lld is gone", (long long)id);
    *inventory_ms = db_col_time(&rows, 0);
    struct bytes stored = db_col_b(&rows, 1);
    *has_hash = stored.len == 32;
    if (*has_hash)
        memcpy(hash, stored.ptr, 32);
    db_rows_close(&rows);
    return 0;
}

int image_set_clocks(struct db *db, int64_t id, int64_t scanned_ms, int64_t db_built_ms, bool is_signed, struct err *err)
{
    int64_t order = scanned_ms == TIME_UNKNOWN ? 1 : scanned_ms;

    return db_exec(db, &Q[Q_CLOCKS], DB_IN(db_time(scanned_ms), db_time(db_built_ms), db_i(is_signed), db_i(order),
                                           db_i(id)), NULL, err);
}

/* One number to sort by: known-exploited first, then critical, high, medium. */
static int64_t risk_order(const struct image_counts *n)
{
    enum { CAP = 9999 };
    int64_t order = 0;
    const int64_t parts[] = { n->kev + n->malware, n->critical, n->high + n->secrets, n->medium };

    for (size_t i = 0; i < N_ITEMS(parts); i++)
        order = order * (CAP + 1) + (parts[i] > CAP ? CAP : parts[i]);
    return -order;
}

int image_set_judgement(struct db *db, const struct image *m, struct err *err)
{
    const struct image_counts *n = &m->counts;

    return db_exec(db, &Q[Q_JUDGEMENT],
                   DB_IN(db_i(n->critical), db_i(n->high), db_i(n->medium), db_i(n->low), db_i(n->other), db_i(n->fixable),
                         db_i(n->kev), db_i(n->secrets), db_i(n->malware), db_i(n->misconfigurations), db_i(n->excepted),
                         db_i(risk_order(n)), db_i(m->verdict), db_i(m->verdict_since_ms), db_i(m->next_check_ms),
                         db_i(m->id)), NULL, err);
}

int image_mark(struct db *db, int64_t id, const char *cause, struct err *err)
{
    return db_exec(db, &Q[Q_MARK], DB_IN(db_t(cause), db_i(id)), NULL, err);
}

int image_mark_all(struct db *db, const char *cause, struct err *err)
{
    return db_exec(db, &Q[Q_MARK_ALL], DB_IN(db_t(cause)), NULL, err);
}

int image_mark_by_vulnerability(struct db *db, const char *name, const char *cause, struct err *err)
{
    return db_exec(db, &Q[Q_MARK_VULN], DB_IN(db_t(cause), db_t(name)), NULL, err);
}

int image_postpone(struct db *db, int64_t id, int64_t until_ms, struct err *err)
{
    return db_exec(db, &Q[Q_POSTPONE], DB_IN(db_i(until_ms), db_i(id)), NULL, err);
}

int image_due(struct db *db, int64_t now_ms, size_t max, struct arena *arena, int64_t **ids, const char ***causes,
              size_t *n, struct err *err)
{
    struct db_rows rows = { 0 };
    bool failed = false;
    size_t got = 0;

    int64_t *id = arena_array(arena, max, sizeof *id);
    const char **cause = arena_array(arena, max, sizeof *cause);
    if (id == NULL || cause == NULL)
        return err_nomem(err);
    if (db_rows_open(db, &Q[Q_DUE], DB_IN(db_i(now_ms), db_i((int64_t)max)), &rows, err) != 0)
        return -1;
    int rc;
    while ((rc = db_rows_next(&rows, err)) == 1 && got < max) {
        id[got] = db_col_i(&rows, 0);
        cause[got++] = db_col_text(&rows, 1, arena, &failed);
    }
    db_rows_close(&rows);
    if (rc < 0)
        return -1;
    *ids = id;
    *causes = cause;
    *n = got;
    return failed ? err_nomem(err) : 0;
}

/* ---- pages ---------------------------------------------------------------- */

static const struct { int query; char letter; bool descending; } sorts[IMAGE_SORT_N] = {
    [IMAGE_SORT_STALE] = { Q_LIST_STALE, 's', false },   [IMAGE_SORT_RISK] = { Q_LIST_RISK, 'r', false },
    [IMAGE_SORT_NAME] = { Q_LIST_NAME, 'n', false },     [IMAGE_SORT_RECENT] = { Q_LIST_RECENT, 't', true },
};

/* "s.KEY.ID"; the name sort leaves the key empty and finds the name by the id. */
static int read_cursor(struct db *db, const struct image_filter *f, struct arena *arena, struct db_value *key,
                       int64_t *id, struct err *err)
{
    bool by_name = f->sort == IMAGE_SORT_NAME, descending = sorts[f->sort].descending;
    char *rest;

    *id = descending ? INT64_MAX : 0;
    *key = by_name ? db_t("") : db_i(descending ? INT64_MAX : INT64_MIN);
    if (f->cursor == NULL)
        return 0;
    if (f->cursor[0] != sorts[f->sort].letter || f->cursor[1] != '.')
        return err_set(err, ERR_INVALID, "cursor: made for another sort order; start without one");
    int64_t number = strtoll(f->cursor + 2, &rest, 10);
    if (*rest != '.' || !str_to_i64(rest + 1, 0, INT64_MAX, id))
        return err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    if (!by_name) {
        *key = db_i(number);
        return 0;
    }
    struct db_rows rows = { 0 };
    bool failed = false;
    int rc = db_row(db, &Q[Q_NAME_OF], DB_IN(db_i(*id)), &rows, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INVALID, "cursor: not one of ours; start without one");
    *key = db_t(db_col_text(&rows, 0, arena, &failed));
    db_rows_close(&rows);
    return failed ? err_nomem(err) : 0;
}

static const char *write_cursor(const struct image *last, enum image_sort sort, struct arena *arena)
{
    int64_t key = 0;

    switch (sort) {
    case IMAGE_SORT_STALE:  key = !last->has_scan ? 0 : last->scanned_ms == TIME_UNKNOWN ? 1 : last->scanned_ms; break;
    case IMAGE_SORT_RISK:   key = risk_order(&last->counts); break;
    case IMAGE_SORT_RECENT: key = last->last_seen_ms; break;
    case IMAGE_SORT_NAME:
    case IMAGE_SORT_N:      break;
    }
    return arena_printf(arena, "%c.%lld.%lld", sorts[sort].letter, (long long)key, (long long)last->id);
}

static bool is_visible(const struct image_filter *f, const char *repository)
{
    if (f->repository != NULL && !imageref_name_match(f->repository, repository))
        return false;
    for (size_t i = 0; i < f->n_allowed; i++) {
        if (imageref_name_match(f->allowed[i], repository))
            return true;
    }
    return f->n_allowed == 0;
}

static int fetch(struct db *db, const struct image_filter *f, const struct freshness_limits *limits, int64_t now_ms,
                 const struct db_value *in, size_t n_in, struct arena *arena, struct image *items, size_t *n, struct err *err)
{
    struct db_rows rows = { 0 };
    bool failed = false;
    int rc = 0;

    if (db_rows_open(db, &Q[sorts[f->sort].query], in, n_in, &rows, err) != 0)
        return -1;
    while (*n <= (size_t)f->limit && (rc = db_rows_next(&rows, err)) == 1) {
        if (!is_visible(f, db_col_t(&rows, 3)))
            continue;                  /* costs no memory, however many there are */
        image_row(&rows, limits, now_ms, arena, &items[*n], &failed);
        if (failed)
            break;
        ++*n;
    }
    bool broken = *n <= (size_t)f->limit && !failed && rc < 0;
    db_rows_close(&rows);
    return failed ? err_nomem(err) : broken ? -1 : 0;
}

int image_list(struct db *db, const struct image_filter *f, const struct freshness_limits *limits, int64_t now_ms,
               struct arena *arena, struct image **items, size_t *n, const char **next, int64_t *total, struct err *err)
{
    enum { ANY_NUMBER = 1000000 };
    bool patterns = f->repository != NULL || f->n_allowed > 0;
    struct db_value key;
    int64_t id;
    size_t got = 0;

    if (read_cursor(db, f, arena, &key, &id, err) != 0)
        return -1;
    struct image *page = arena_array(arena, (size_t)f->limit + 2, sizeof *page);
    if (page == NULL)
        return err_nomem(err);
    const struct db_value in[] = {
        db_i(now_ms - limits->scan_max_age_ms), db_i(now_ms - limits->database_max_age_ms),
        f->freshness == 0 ? db_i_null() : db_i(f->freshness - 1), db_i(f->stale),
        f->verdict == 0 ? db_i_null() : db_i(f->verdict - 1), db_t(f->team), db_t(f->prefix), db_i(f->running),
        db_t(f->cluster), db_i(f->is_unsigned), db_t(f->vulnerability), db_t(f->package),
        f->scanned_until_ms == TIME_UNKNOWN ? db_i_null() : db_i(f->scanned_until_ms),
        f->scanned_after_ms == TIME_UNKNOWN ? db_i_null() : db_i(f->scanned_after_ms),
        key, db_i(id), db_i(patterns ? ANY_NUMBER : f->limit + 1),
    };
    if (fetch(db, f, limits, now_ms, in, N_ITEMS(in), arena, page, &got, err) != 0)
        return -1;
    *total = -1;
    if (!patterns && db_int(db, &Q[Q_COUNT], in, 14, 0, total, err) != 0)
        return -1;
    *next = NULL;
    if (got > (size_t)f->limit) {
        got = (size_t)f->limit;
        if ((*next = write_cursor(&page[got - 1], f->sort, arena)) == NULL)
            return err_nomem(err);
    }
    *items = page;
    *n = got;
    return 0;
}

static void image_aliases_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct image_alias *a = out;

    a->digest = db_col_text(rows, 0, arena, failed);
    a->kind = db_col_text(rows, 1, arena, failed);
}

int image_aliases(struct db *db, int64_t id, struct arena *arena, struct image_alias **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_ALIASES], DB_IN(db_i(id)), arena, image_aliases_row, sizeof(struct image_alias), (void **)items, n, err);
}

static void image_tags_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    const char **tag = out;

    *tag = db_col_text(rows, 0, arena, failed);
}

int image_tags(struct db *db, int64_t id, struct arena *arena, const char ***items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_TAGS], DB_IN(db_i(id)), arena, image_tags_row, sizeof(const char *), (void **)items, n, err);
}

static void repository_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct repository *r = out;

    r->name = db_col_text(rows, 0, arena, failed);
    r->team = db_col_text(rows, 1, arena, failed);
    r->images = db_col_i(rows, 2);
    r->failing = db_col_i(rows, 3);
}

int repository_list(struct db *db, const char *prefix, const char *after, int64_t limit, struct arena *arena,
                    struct repository **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_REPO_LIST], DB_IN(db_t(after != NULL ? after : ""), db_t(prefix), db_i(limit)), arena, repository_list_row, sizeof(struct repository), (void **)items, n, err);
}
