/* The contract of server/db/migrate.h, the same on SQLite and PostgreSQL. */
#include "engine.h"

#include "db/migrate.h"

#include <glob.h>
#include <pthread.h>

static struct engine E;
static const char *pg_url;
static struct err err;

#define ONE   "CREATE TABLE a (i INTEGER NOT NULL);"
#define TWO   "CREATE TABLE b (i INTEGER NOT NULL); INSERT INTO a (i) VALUES (2);"
#define THREE "ALTER TABLE b ADD COLUMN extra INTEGER; INSERT INTO a (i) VALUES (3);"

static const struct migration none[] = { { 0 } };
static const struct migration v1[] = { { 1, "0001_one", ONE, ONE }, { 0 } };
static const struct migration v3[] = {
    { 1, "0001_one", ONE, ONE }, { 2, "0002_two", TWO, TWO }, { 3, "0003_three", THREE, THREE }, { 0 },
};
static const struct migration edited[] = {
    { 1, "0001_one", ONE, ONE }, { 2, "0002_two", TWO " ", TWO " " }, { 3, "0003_three", THREE, THREE }, { 0 },
};
static const struct migration renamed[] = {
    { 1, "0001_one", ONE, ONE }, { 2, "0002_zwei", TWO, TWO }, { 3, "0003_three", THREE, THREE }, { 0 },
};
static const struct migration failing[] = {
    { 1, "0001_one", ONE, ONE }, { 2, "0002_bad", TWO "SELEKT;", TWO "SELEKT;" }, { 0 },
};

static const struct db_query count_a = { "a.count", "", "i", "SELECT COUNT(*) FROM a" };
static const struct db_query count_b = { "b.count", "", "i", "SELECT COUNT(*) FROM b" };

static int setup(void **state)
{
    (void)state;
    engine_fresh(&E, pg_url);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_clear(&E);
    return 0;
}

static int migrate(const struct migration *all, int *applied)
{
    *applied = -1;
    return migrate_run(E.url, all, 1700000000000, applied, &err);
}

static void refused(const struct migration *all, enum err_kind kind, const char *word)
{
    int n;

    assert_int_equal(migrate(all, &n), -1);
    assert_int_equal(n, -1);
    assert_int_equal(err.kind, kind);
    if (strstr(err.msg, word) == NULL)
        fail_msg("%s", err.msg);
}

static int64_t rows(const struct db_query *q)
{
    struct db *r = engine_open(E.url, DB_READER);
    int64_t n = -1;

    if (db_int(r, q, DB_NONE, 0, &n, &err) != 0)
        n = -1;
    db_close(r);
    return n;
}

static void twice_is_once(void **state)
{
    int n;

    (void)state;
    assert_int_equal(migrate(v3, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(migrate(v3, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(rows(&count_a), 2);
}

static void what_was_applied_is_continued(void **state)
{
    int n;

    (void)state;
    assert_int_equal(migrate(none, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(migrate(v1, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(migrate(v3, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(rows(&count_a), 2);
}

static void a_changed_file_is_refused(void **state)
{
    int n;

    (void)state;
    assert_int_equal(migrate(v3, &n), 0);
    refused(edited, ERR_PRECONDITION, "0002_two was changed");
    refused(renamed, ERR_PRECONDITION, "0002_zwei");
    assert_int_equal(migrate(v3, &n), 0);
}

static void a_newer_database_is_refused(void **state)
{
    int n;

    (void)state;
    assert_int_equal(migrate(v3, &n), 0);
    refused(v1, ERR_PRECONDITION, "newer");
    refused(none, ERR_PRECONDITION, "newer");
}

static void a_migration_that_fails_leaves_nothing_of_itself(void **state)
{
    int n;

    (void)state;
    refused(failing, ERR_INTERNAL, "0002_bad");
    assert_int_equal(rows(&count_a), 0);
    assert_int_equal(rows(&count_b), -1);
    assert_int_equal(migrate(v3, &n), 0);
    assert_int_equal(n, 2);
}

static void check_names_what_is_missing(void **state)
{
    struct db *r;
    int n;

    (void)state;
    assert_int_equal(migrate(v1, &n), 0);
    r = engine_open(E.url, DB_READER);
    assert_int_equal(migrate_check(r, v1, &err), 0);
    assert_int_equal(migrate_check(r, v3, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "0002_two"));
    assert_non_null(strstr(err.msg, "keepd migrate"));
    assert_int_equal(migrate_check(r, none, &err), -1);
    assert_int_equal(err.kind, ERR_PRECONDITION);
    db_close(r);
}

static void check_of_an_empty_database_names_the_first(void **state)
{
    struct db *db = engine_open(E.url, DB_MIGRATOR);

    (void)state;
    assert_int_equal(migrate_check(db, v1, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_int_equal(migrate_check(db, none, &err), 0);
    db_close(db);
}

struct run { int rc, n; struct err err; };

static void *run_one(void *arg)
{
    struct run *r = arg;

    r->rc = migrate_run(E.url, v3, 1, &r->n, &r->err);
    return NULL;
}

static void of_two_at_once_each_step_is_done_by_one(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct run r[2] = { 0 };
        pthread_t t[2];
        engine_fresh(&E, pg_url);
        for (int i = 0; i < 2; i++)
            pthread_create(&t[i], NULL, run_one, &r[i]);
        for (int i = 0; i < 2; i++) {
            pthread_join(t[i], NULL);
            if (r[i].rc != 0)
                fail_msg("%s", r[i].err.msg);
        }
        assert_int_equal(r[0].n + r[1].n, 3);
        assert_int_equal(rows(&count_a), 2);
    }
}

static void the_copy_before_an_upgrade_is_kept(void **state)
{
    char file[600];
    struct db *copy;
    int64_t n;

    (void)state;
    assert_int_equal(migrate(v1, &(int){ 0 }), 0);
    assert_int_equal(migrate(v3, &(int){ 0 }), 0);
    snprintf(file, sizeof file, "%s.before-0002_two", E.url);
    copy = engine_open(file, DB_MIGRATOR);
    assert_int_equal(db_int(copy, &count_a, DB_NONE, 0, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(migrate_check(copy, v1, &err), 0);
    db_close(copy);
}

static void a_new_database_needs_no_copy(void **state)
{
    char pattern[600];
    glob_t found;

    (void)state;
    assert_int_equal(migrate(v3, &(int){ 0 }), 0);
    snprintf(pattern, sizeof pattern, "%s.before-*", E.url);
    assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
}

static void the_schema_of_this_binary_applies(void **state)
{
    struct db *r;
    int n, last = 0;

    (void)state;
    while (migrations[last].number != 0)
        last++;
    if (migrate(migrations, &n) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(n, last);
    assert_int_equal(migrate(migrations, &n), 0);
    r = engine_open(E.url, last > 0 ? DB_READER : DB_MIGRATOR);
    assert_int_equal(migrate_check(r, migrations, &err), 0);
    db_close(r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest both[] = {
    T(twice_is_once),
    T(what_was_applied_is_continued),
    T(a_changed_file_is_refused),
    T(a_newer_database_is_refused),
    T(a_migration_that_fails_leaves_nothing_of_itself),
    T(check_names_what_is_missing),
    T(check_of_an_empty_database_names_the_first),
    T(of_two_at_once_each_step_is_done_by_one),
    T(the_schema_of_this_binary_applies),
};
static const struct CMUnitTest sqlite_only[] = {
    T(the_copy_before_an_upgrade_is_kept),
    T(a_new_database_needs_no_copy),
};

int main(void)
{
    const char *url = engine_pg_url();
    int failed = cmocka_run_group_tests_name("sqlite", both, NULL, NULL);

    failed += cmocka_run_group_tests_name("sqlite", sqlite_only, NULL, NULL);
    pg_url = url;
    if (url != NULL)
        failed += cmocka_run_group_tests_name("postgresql", both, NULL, NULL);
    return failed != 0;
}
