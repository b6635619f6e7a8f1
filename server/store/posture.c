/* posture.c - see posture.h.  One pass over the images table: it is the fleet,
 * and the numbers kept in its rows are what makes this cheap. */
#include "store/posture.h"

#include "base/time.h"
#include "store/rows.h"

#define STATE "CASE WHEN has_scan = 0 THEN 1 WHEN scanned_ms IS NULL THEN 0 WHEN scanned_ms < $1 THEN 2 " \
    "WHEN db_built_ms IS NULL THEN 0 WHEN db_built_ms < $2 THEN 3 ELSE 4 END"
#define AGE "CASE WHEN has_scan = 0 OR scanned_ms IS NULL THEN 7 WHEN scanned_ms > $3 - 86400000 THEN 0 " \
    "WHEN scanned_ms > $3 - 259200000 THEN 1 WHEN scanned_ms > $3 - 604800000 THEN 2 WHEN scanned_ms > $3 - 1209600000 THEN 3 " \
    "WHEN scanned_ms > $3 - 2592000000 THEN 4 WHEN scanned_ms > $3 - 7776000000 THEN 5 ELSE 6 END"
#define TOTAL(column) "CAST(SUM(" column ") AS BIGINT)"

enum { Q_ALL, Q_TEAMS, Q_TREND_ADD, Q_TREND_BEFORE, Q_TREND, Q_TEAM_OF, Q_SUM_OF, Q_VERDICT_ADD, Q_VERDICT_LIST, Q_N };

static const struct db_query Q[Q_N] = {
    /* One row per (verdict, freshness, age, runs): at most 4 * 5 * 8 * 2. */
    [Q_ALL] = { "posture.all", "iii", "iiiiiiiiiiiiiiiii",
        "WITH limits AS (SELECT $1 AS scan, $2 AS db, $3 AS now), fleet AS (SELECT verdict, " STATE " AS state, " AGE " AS age, "
        "CASE WHEN n_running > 0 THEN 1 ELSE 0 END AS runs, CASE WHEN has_scan = 1 AND is_signed = 0 THEN 1 ELSE 0 END AS bare, "
        "n_critical, n_high, n_medium, n_low, n_other, n_fixable, n_kev, n_secrets, n_malware, n_misconfig, n_excepted FROM images) "
        "SELECT verdict, state, age, runs, COUNT(*), " TOTAL("bare") ", " TOTAL("n_critical") ", " TOTAL("n_high") ", "
        TOTAL("n_medium") ", " TOTAL("n_low") ", " TOTAL("n_other") ", " TOTAL("n_fixable") ", " TOTAL("n_kev") ", "
        TOTAL("n_secrets") ", " TOTAL("n_malware") ", " TOTAL("n_misconfig") ", " TOTAL("n_excepted")
        " FROM fleet GROUP BY verdict, state, age, runs" },
    [Q_TEAMS] = { "posture.teams", "ii", "tiiiii",
        "WITH limits AS (SELECT $1 AS scan, $2 AS db) SELECT r.team, COUNT(*), "
        TOTAL("CASE WHEN i.verdict = 1 THEN 1 ELSE 0 END") ", " TOTAL("CASE WHEN " STATE " IN (1, 2, 3) THEN 1 ELSE 0 END") ", "
        TOTAL("i.n_critical") ", " TOTAL("i.n_high") " FROM images i JOIN repositories r ON r.id = i.repository_id "
        "GROUP BY r.team ORDER BY r.team" },
    [Q_TREND_ADD] = { "trend.add", "itiiiiii", "",
        "INSERT INTO trend (day, team, n_images, n_critical, n_high, n_medium, n_low, n_kev) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (team, day) DO UPDATE SET n_images = trend.n_images + excluded.n_images, "
        "n_critical = trend.n_critical + excluded.n_critical, n_high = trend.n_high + excluded.n_high, "
        "n_medium = trend.n_medium + excluded.n_medium, n_low = trend.n_low + excluded.n_low, n_kev = trend.n_kev + excluded.n_kev" },
    [Q_TREND_BEFORE] = { "trend.before", "ti", "iiiiii",
        "SELECT CAST(COALESCE(SUM(n_images), 0) AS BIGINT), CAST(COALESCE(SUM(n_critical), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(n_high), 0) AS BIGINT), CAST(COALESCE(SUM(n_medium), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(n_low), 0) AS BIGINT), CAST(COALESCE(SUM(n_kev), 0) AS BIGINT) "
        "FROM trend WHERE team = $1 AND day < $2" },
    [Q_TREND] = { "trend.list", "ti", "iiiiiii",
        "SELECT day, n_images, n_critical, n_high, n_medium, n_low, n_kev FROM trend WHERE team = $1 AND day >= $2 ORDER BY day" },
    [Q_TEAM_OF] = { "trend.team_of", "i", "t", "SELECT team FROM repositories WHERE id = $1" },
    [Q_SUM_OF] = { "trend.sum_of", "i", "iiiiii",
        "SELECT COUNT(*), CAST(COALESCE(SUM(n_critical), 0) AS BIGINT), CAST(COALESCE(SUM(n_high), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(n_medium), 0) AS BIGINT), CAST(COALESCE(SUM(n_low), 0) AS BIGINT), CAST(COALESCE(SUM(n_kev), 0) AS BIGINT) "
        "FROM images WHERE repository_id = $1" },
    [Q_VERDICT_ADD] = { "verdict.add", "iiitt", "",
        "INSERT INTO verdicts (image_id, at_ms, decision, cause, reasons) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (image_id, at_ms) DO UPDATE SET decision = excluded.decision, cause = excluded.cause, reasons = excluded.reasons" },
    [Q_VERDICT_LIST] = { "verdict.list", "iii", "iitt",
        "SELECT at_ms, decision, cause, reasons FROM verdicts WHERE image_id = $1 AND at_ms < $2 ORDER BY at_ms DESC LIMIT $3" },
};

const struct db_queries posture_queries = { Q, Q_N };

static void posture_row(const struct db_rows *rows, struct posture *p)
{
    int64_t verdict = db_col_i(rows, 0), state = db_col_i(rows, 1), age = db_col_i(rows, 2), n = db_col_i(rows, 4);
    struct image_counts *k = &p->counts;
    int64_t *totals[] = { &p->unsigned_images, &k->critical, &k->high, &k->medium, &k->low, &k->other, &k->fixable, &k->kev,
                          &k->secrets, &k->malware, &k->misconfigurations, &k->excepted };

    p->images += n;
    p->verdicts[verdict >= 0 && verdict < DECISION_N ? verdict : 0] += n;
    p->freshness[state] += n;
    p->scan_age[age] += n;
    if (db_col_i(rows, 3) != 0) {
        p->running_images += n;
        p->running_failing += verdict == DECISION_FAIL ? n : 0;
        p->running_stale += state >= FRESHNESS_NEVER_SCANNED && state <= FRESHNESS_STALE_DATABASE ? n : 0;
    }
    for (size_t i = 0; i < N_ITEMS(totals); i++)
        *totals[i] += db_col_i(rows, (int)i + 5);
}

int posture_get(struct db *db, const struct freshness_limits *limits, int64_t now_ms, struct posture *out, struct err *err)
{
    struct db_rows rows = { 0 };
    struct posture p = { 0 };

    if (db_rows_open(db, &Q[Q_ALL], DB_IN(db_i(now_ms - limits->scan_max_age_ms), db_i(now_ms - limits->database_max_age_ms),
                                          db_i(now_ms)), &rows, err) != 0)
        return -1;
    int rc;
    while ((rc = db_rows_next(&rows, err)) == 1)
        posture_row(&rows, &p);
    db_rows_close(&rows);
    if (rc == 0)
        *out = p;
    return rc;
}

static void posture_teams_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct team_posture *t = out;

    t->team = db_col_text(rows, 0, arena, failed);
    int64_t *numbers[] = { &t->images, &t->failing, &t->stale, &t->critical, &t->high };
    for (size_t i = 0; i < N_ITEMS(numbers); i++)
        *numbers[i] = db_col_i(rows, (int)i + 1);
}

int posture_teams(struct db *db, const struct freshness_limits *limits, int64_t now_ms, struct arena *arena,
                  struct team_posture **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_TEAMS], DB_IN(db_i(now_ms - limits->scan_max_age_ms), db_i(now_ms - limits->database_max_age_ms)),
                    arena, posture_teams_row, sizeof(struct team_posture), (void **)items, n, err);
}

static int64_t day_of(int64_t at_ms)
{
    return at_ms >= 0 ? at_ms / MS_DAY : (at_ms - MS_DAY + 1) / MS_DAY;
}

static int shift(struct db *db, int64_t at_ms, const char *team, const int64_t d[6], int sign, struct err *err)
{
    return db_exec(db, &Q[Q_TREND_ADD], DB_IN(db_i(day_of(at_ms)), db_t(team), db_i(sign * d[0]), db_i(sign * d[1]), db_i(sign * d[2]),
                                              db_i(sign * d[3]), db_i(sign * d[4]), db_i(sign * d[5])), NULL, err);
}

int trend_add_image(struct db *db, int64_t at_ms, int64_t repository_id, struct err *err)
{
    static const int64_t one[6] = { 1 };
    struct db_rows rows = { 0 };
    struct arena arena;
    bool failed = false;

    int rc = db_row(db, &Q[Q_TEAM_OF], DB_IN(db_i(repository_id)), &rows, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "repository %lld is gone", (long long)repository_id);
    arena_init(&arena, 64 << 10);
    const char *team = db_col_text(&rows, 0, &arena, &failed);
    db_rows_close(&rows);
    rc = failed ? err_nomem(err) : shift(db, at_ms, "", one, 1, err);
    if (rc == 0 && *team != '\0')
        rc = shift(db, at_ms, team, one, 1, err);
    arena_clear(&arena);
    return rc;
}

int trend_move(struct db *db, int64_t at_ms, int64_t repository_id, const char *from, const char *to, struct err *err)
{
    struct db_rows rows = { 0 };
    int64_t d[6];

    int rc = db_row(db, &Q[Q_SUM_OF], DB_IN(db_i(repository_id)), &rows, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "an aggregate without a row");
    for (size_t i = 0; i < N_ITEMS(d); i++)
        d[i] = db_col_i(&rows, (int)i);
    db_rows_close(&rows);
    if (*from != '\0' && shift(db, at_ms, from, d, -1, err) != 0)
        return -1;
    return *to != '\0' ? shift(db, at_ms, to, d, 1, err) : 0;
}

int trend_add(struct db *db, int64_t at_ms, const char *team, const struct image_counts *before,
              const struct image_counts *after, struct err *err)
{
    const struct image_counts *b = before;
    const int64_t d[6] = { 0, after->critical - b->critical, after->high - b->high, after->medium - b->medium,
                          after->low - b->low, after->kev - b->kev };
    const char *rows[] = { "", team };

    if ((d[0] | d[1] | d[2] | d[3] | d[4] | d[5]) == 0)
        return 0;
    for (size_t i = 0; i < (*team == '\0' ? 1u : 2u); i++) {
        if (shift(db, at_ms, rows[i], d, 1, err) != 0)
            return -1;
    }
    return 0;
}

static void add_day(struct trend_day *t, const struct db_rows *rows, int first)
{
    int64_t *numbers[] = { &t->images, &t->critical, &t->high, &t->medium, &t->low, &t->kev };

    for (size_t i = 0; i < N_ITEMS(numbers); i++)
        *numbers[i] += db_col_i(rows, first + (int)i);
}

int trend_list(struct db *db, const char *team, int64_t now_ms, int64_t days, struct arena *arena,
               struct trend_day **items, size_t *n, struct err *err)
{
    int64_t today = day_of(now_ms), first = today - days + 1;
    struct db_rows rows = { 0 };
    struct trend_day sum = { 0 };

    struct trend_day *list = arena_array(arena, (size_t)days, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    int rc = db_row(db, &Q[Q_TREND_BEFORE], DB_IN(db_t(team), db_i(first)), &rows, err);
    if (rc < 0)
        return -1;
    add_day(&sum, &rows, 0);
    db_rows_close(&rows);
    if (db_rows_open(db, &Q[Q_TREND], DB_IN(db_t(team), db_i(first)), &rows, err) != 0)
        return -1;
    rc = db_rows_next(&rows, err);
    for (int64_t i = 0; i < days; i++) {
        for (; rc == 1 && db_col_i(&rows, 0) <= first + i; rc = db_rows_next(&rows, err))
            add_day(&sum, &rows, 1);
        list[i] = sum;
        list[i].day = first + i;
    }
    db_rows_close(&rows);
    if (rc < 0)
        return -1;
    *items = list;
    *n = (size_t)days;
    return 0;
}

int verdict_insert(struct db *db, int64_t image_id, int64_t at_ms, int decision, const char *cause, const char *reasons,
                   struct err *err)
{
    return db_exec(db, &Q[Q_VERDICT_ADD], DB_IN(db_i(image_id), db_i(at_ms), db_i(decision), db_t(cause), db_t(reasons)), NULL, err);
}

static void verdict_list_row(const struct db_rows *rows, struct arena *arena, void *out, bool *failed)
{
    struct verdict_row *v = out;

    v->at_ms = db_col_i(rows, 0);
    v->decision = (int)db_col_i(rows, 1);
    v->cause = db_col_text(rows, 2, arena, failed);
    v->reasons = db_col_text(rows, 3, arena, failed);
}

int verdict_list(struct db *db, int64_t image_id, int64_t before_ms, int64_t limit, struct arena *arena,
                 struct verdict_row **items, size_t *n, struct err *err)
{
    return rows_all(db, &Q[Q_VERDICT_LIST], DB_IN(db_i(image_id), db_i(before_ms), db_i(limit)), arena, verdict_list_row, sizeof(struct verdict_row), (void **)items, n, err);
}
