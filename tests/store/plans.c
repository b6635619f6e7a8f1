/* The plan of every query of every store: no table that grows is scanned whole,
 * unless plans.txt lists the query with its reason.  The plans are those of an
 * empty database without statistics, as on the first day.  On PostgreSQL every
 * query is prepared, and so checked. */
#include "tests/store/engine.h"

#include "cmd/serve.h"
#include "base/crypto.h"
#include "db/migrate.h"

/* Tables whose size people bound by hand: policies, scanners, settings. */
static const char *const small[] = { "policies", "policy_versions", "scanners", "settings", "unsigned_allowances" };

enum { LISTED_MAX = 64 };
static struct { char name[64]; bool used; } listed[LISTED_MAX];
static size_t n_listed;

static void read_list(void)
{
    char line[400];
    FILE *f = fopen("tests/store/plans.txt", "r");

    if (f == NULL)
        fail_msg("tests/store/plans.txt: run me where the sources are");
    n_listed = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        char *tab = strchr(line, '\t');
        if (tab == NULL || strlen(tab) < 12 || n_listed == LISTED_MAX)
            fail_msg("plans.txt: a query and, after a tab, the reason: %s", line);
        snprintf(listed[n_listed].name, sizeof listed[0].name, "%.*s", (int)(tab - line), line);
        listed[n_listed++].used = false;
    }
    fclose(f);
}

static bool is_listed(const char *name)
{
    for (size_t i = 0; i < n_listed; i++)
        if (str_eq(listed[i].name, name))
            return listed[i].used = true;
    return false;
}

/* Short names of the plan are aliases: the table stands after FROM or JOIN. */
static void table_of(const char *sql, const char *alias, char *out, size_t max)
{
    static const char *const words[] = { " FROM ", " JOIN ", "UPDATE ", "INTO " };
    char table[64], as[64];

    snprintf(out, max, "%s", alias);
    for (size_t w = 0; w < N_ITEMS(words); w++)
        for (const char *s = sql; (s = strstr(s, words[w])) != NULL; ) {
            s += strlen(words[w]);
            if (sscanf(s, "%63[a-z_0-9] %63[a-z_0-9]", table, as) == 2 && str_eq(as, alias))
                snprintf(out, max, "%s", table);
        }
}

static bool is_small(const char *table)
{
    for (size_t i = 0; i < N_ITEMS(small); i++)
        if (str_eq(small[i], table))
            return true;
    return false;
}

/* "SCAN x" is a whole table, unless it runs along an index in the order asked for and
 * ends at a LIMIT; the largest id is the end of an index, whatever the plan calls it. */
static bool is_whole(const struct db_query *q, const char *plan, const char *line)
{
    char name[64], table[64];
    const char *scan = strstr(line, "SCAN ");

    if (scan == NULL || sscanf(scan, "SCAN %63[a-z_0-9]", name) != 1 || strstr(q->sql, "COALESCE(MAX(id), 0) + 1") != NULL)
        return false;
    if (strstr(line, "CONSTANT ROW") != NULL)      /* VALUES of an INSERT */
        return false;
    if (strstr(q->sql, "LIMIT") != NULL && strstr(plan, "TEMP B-TREE") == NULL && strstr(line, "USING") != NULL)
        return false;
    table_of(q->sql, name, table, sizeof table);
    return !is_small(table);
}

static bool scans_whole(const struct db_query *q, const char *plan)
{
    char line[200];

    for (const char *s = plan; *s != '\0'; s += strcspn(s, "\n"), s += *s == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(s, "\n"), s);
        if (is_whole(q, plan, line))
            return true;
    }
    return false;
}

static void no_table_that_grows_is_scanned(void **state)
{
    struct engine e = { 0 };
    struct arena arena;
    struct err err;
    int applied, wrong = 0;

    (void)state;
    read_list();
    assert_int_equal(crypto_init(&err), 0);
    arena_init(&arena, 64 << 20);
    engine_fresh(&e, NULL);
    assert_int_equal(migrate_run(e.url, migrations, 1, &applied, &err), 0);
    struct db *db = engine_open(e.url, DB_WRITER);
    assert_int_equal(db_begin_write(db, &err), 0);
    for (size_t s = 0; all_queries[s] != NULL; s++)
        for (size_t i = 0; i < all_queries[s]->n; i++) {
            const struct db_query *q = &all_queries[s]->query[i];
            char *plan = NULL;
            if (db_explain(db, q, &arena, &plan, &err) != 0)
                fail_msg("%s", err.msg);
            if (!scans_whole(q, plan) || is_listed(q->name))
                continue;
            fprintf(stderr, "%s scans a table that grows:\n%s\n%s\n", q->name, q->sql, plan);
            wrong++;
        }
    for (size_t i = 0; i < n_listed; i++)
        if (!listed[i].used) {
            fprintf(stderr, "plans.txt: %s needs no exception\n", listed[i].name);
            wrong++;
        }
    db_rollback(db);
    db_close(db);
    engine_clear(&e);
    arena_clear(&arena);
    assert_int_equal(wrong, 0);
}

static void every_query_prepares_on_postgresql(void **state)
{
    struct engine e = { 0 };
    struct db_queries sets[64];
    struct err err;
    int applied;
    const char *url = engine_pg_url();

    (void)state;
    if (url == NULL)
        skip();
    engine_fresh(&e, url);
    assert_int_equal(migrate_run(url, migrations, 1, &applied, &err), 0);
    struct db *db = engine_open(url, DB_WRITER);
    if (db_prepare_all(db, sets, queries_gather(sets, N_ITEMS(sets)), &err) != 0)
        fail_msg("%s", err.msg);
    db_close(db);
    engine_clear(&e);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_table_that_grows_is_scanned),
        cmocka_unit_test(every_query_prepares_on_postgresql),
    };

    return cmocka_run_group_tests_name("query plans", tests, NULL, NULL);
}
