/* What only one engine has: SQLite's file and its guards, PostgreSQL's connection;
 * and the lock on the data directory. */
#include "db/ballast.h"
#include "db/lock.h"
#include "engine.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct engine E;
static const char *pg_url;
static struct db *w;
static struct err err;

enum { ADD, COUNT, KILL, PID };
static const struct db_query Q[] = {
    [ADD] = { "thing.add", "i", "", "INSERT INTO things (id) VALUES ($1)" },
    [COUNT] = { "thing.count", "", "i", "SELECT COUNT(*) FROM things" },
    [KILL] = { "kill", "i", "i", "SELECT CASE WHEN pg_terminate_backend(CAST($1 AS INTEGER)) THEN 1 ELSE 0 END" },
    [PID] = { "pid", "", "i", "SELECT pg_backend_pid()" },
};

static int setup(void **state)
{
    (void)state;
    engine_fresh(&E, pg_url);
    engine_tables(&E);
    w = engine_open(E.url, DB_WRITER);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    db_close(w);
    w = NULL;
    engine_clear(&E);
    return 0;
}

static int add(struct db *db, int64_t id)
{
    return db_exec(db, &Q[ADD], DB_IN(db_i(id)), NULL, &err);
}

static int64_t count(struct db *db)
{
    int64_t n = -1;

    assert_int_equal(db_int(db, &Q[COUNT], DB_NONE, 0, &n, &err), 0);
    return n;
}

/* ---- SQLite ------------------------------------------------------------------------ */

static const char *path_in(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", E.dir, name);
    return path;
}

static void the_authorizer_denies_what_no_query_may_do(void **state)
{
    static const struct db_query bad[] = {
        { "attach", "", "", "ATTACH '/tmp/other' AS other" },
        { "detach", "", "", "DETACH main" },
        { "pragma", "", "i", "PRAGMA user_version" },
        { "pragma function", "", "t", "SELECT name FROM pragma_table_info('things')" },
        { "create", "", "", "CREATE TABLE x (i INTEGER)" },
        { "create temporary", "", "", "CREATE TEMP TABLE x (i INTEGER)" },
        { "drop", "", "", "DROP TABLE things" },
        { "alter", "", "", "ALTER TABLE things ADD COLUMN x INTEGER" },
        { "index", "", "", "CREATE INDEX x ON things (n)" },
        { "analyze", "", "", "ANALYZE" },
        { "reindex", "", "", "REINDEX" },
        { "begin", "", "", "BEGIN" },
        { "commit", "", "", "COMMIT" },
        { "savepoint", "", "", "SAVEPOINT x" },
        { "update audit", "", "", "UPDATE audit SET what = 'x'" },
        { "delete audit", "", "", "DELETE FROM audit" },
        { "upsert audit", "", "", "INSERT INTO audit (seq, what) VALUES (1, 'x') ON CONFLICT (seq) DO UPDATE SET what = 'y'" },
        { "AUDIT", "", "", "DELETE FROM AUDIT" },
    };
    struct db *all[] = { w, engine_open(E.url, DB_READER) };

    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < N_ITEMS(bad); i++) {
            if (db_prepare_all(all[k], &(struct db_queries){ &bad[i], 1 }, 1, &err) == 0)
                fail_msg("%s was accepted", bad[i].name);
            if (strstr(err.msg, "not authorized") == NULL)
                fail_msg("%s", err.msg);
        }
    static const struct db_query vacuum = { "vacuum", "", "", "VACUUM" };
    assert_int_equal(db_exec(w, &vacuum, DB_NONE, NULL, &err), -1);       /* refused when it runs */
    db_close(all[1]);
}

static void audit_takes_inserts(void **state)
{
    static const struct db_query insert = { "audit.add", "it", "", "INSERT INTO audit (seq, what) VALUES ($1, $2)" };

    (void)state;
    assert_int_equal(db_exec(w, &insert, DB_IN(db_i(1), db_t("x")), NULL, &err), 0);
    assert_int_equal(db_exec(w, &insert, DB_IN(db_i(1), db_t("y")), NULL, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
}

static void a_transaction_ended_by_the_engine_lets_nothing_through(void **state)
{
    static const struct db_query lose = { "lose", "i", "", "INSERT OR ROLLBACK INTO things (id) VALUES ($1)" };

    (void)state;
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 1), 0);
    assert_int_equal(db_savepoint(w, &err), 0);
    assert_int_equal(db_exec(w, &lose, DB_IN(db_i(1)), NULL, &err), -1);
    assert_int_equal(add(w, 2), -1);                     /* would commit by itself */
    assert_int_equal(db_savepoint_rollback(w, &err), -1);
    assert_int_equal(add(w, 3), -1);
    assert_int_equal(db_commit(w, &err), -1);
    assert_int_equal(count(w), 0);
}

static void a_column_of_another_type_is_an_error_not_a_conversion(void **state)
{
    static const struct db_query real = { "real", "", "i", "SELECT 1.5" };
    static const struct db_query nul = { "nul", "", "t", "SELECT 'a' || CAST(x'0062' AS TEXT)" };
    struct db_rows rows;

    (void)state;
    assert_int_equal(db_row(w, &real, DB_NONE, &rows, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(db_row(w, &nul, DB_NONE, &rows, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
}

static void the_file_is_private_and_must_exist(void **state)
{
    struct stat st;
    struct db *db = NULL;

    (void)state;
    assert_int_equal(stat(E.url, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(db_open(path_in("missing.db"), DB_WRITER, &db, &err), -1);
    assert_int_equal(access(path_in("missing.db"), F_OK), -1);
    assert_int_equal(db_open(path_in("missing.db"), DB_READER, &db, &err), -1);
    assert_int_equal(symlink(E.url, path_in("link.db")), 0);
    assert_int_equal(db_open(path_in("link.db"), DB_WRITER, &db, &err), -1);
    assert_null(db);
}

static void names_with_a_meaning_for_sqlite_are_refused(void **state)
{
    static const char *const bad[] = { "", ":memory:", "file:x.db?mode=memory", "/tmp/", "/nonexistent/x.db", "fault:1:invalid:x" };
    struct db *db = NULL;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        if (db_open(bad[i], DB_MIGRATOR, &db, &err) == 0)
            fail_msg("\"%s\" was accepted", bad[i]);
}

static void a_damaged_file_is_unavailable_and_stays_so(void **state)
{
    char junk[4096];

    (void)state;
    for (int i = 0; i < 2000; i++)
        assert_int_equal(add(w, i), 0);
    assert_int_equal(db_checkpoint(w, true, &err), 0);
    memset(junk, 0x5a, sizeof junk);
    db_close(w);
    int fd = open(E.url, O_RDWR);
    for (int page = 1; page < 12; page++)
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
    close(fd);
    w = engine_open(E.url, DB_WRITER);
    int64_t n;
    assert_int_equal(db_int(w, &Q[COUNT], DB_NONE, 0, &n, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_true(db_is_broken(w));
    assert_int_equal(db_begin_write(w, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

static void verify_names_a_dangling_reference(void **state)
{
    struct arena arena;
    char *report = NULL;
    struct db *m = engine_open(E.url, DB_MIGRATOR);

    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(db_script(m, "PRAGMA foreign_keys=OFF; INSERT INTO parts (thing, part) VALUES (77, 'x')", &err), 0);
    db_close(m);
    assert_int_equal(db_verify(w, &arena, &report, &err), 0);
    assert_string_equal(report, "foreign key: parts row 1 refers to a missing row of things\n");
    arena_clear(&arena);
}

static void a_backup_is_whole_and_never_overwrites(void **state)
{
    struct db *r = engine_open(E.url, DB_READER), *copy;

    (void)state;
    for (int i = 0; i < 100; i++)
        add(w, i);
    assert_int_equal(db_backup(r, path_in("copy.db"), &err), 0);
    assert_int_equal(db_backup(w, path_in("copy.db"), &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(db_backup(w, path_in("copy2.db"), &err), 0);
    assert_int_equal(db_backup(w, path_in("none/copy.db"), &err), -1);
    copy = engine_open(path_in("copy.db"), DB_MIGRATOR);
    assert_int_equal(count(copy), 100);
    db_close(copy);
    assert_int_equal(add(r, 1000), -1);              /* still a reader */
    assert_int_equal(add(w, 1000), 0);
    db_close(r);
}

static void only_the_writer_checkpoints(void **state)
{
    struct db *r = engine_open(E.url, DB_READER);

    (void)state;
    add(w, 1);
    assert_true(db_wal_bytes(w) > 0);
    assert_int_equal(count(r), 1);
    db_close(r);
    assert_int_equal(access(path_in("keep.db-wal"), F_OK), 0);
    assert_int_equal(db_checkpoint(w, true, &err), 0);
    assert_int_equal(db_wal_bytes(w), 0);
    add(w, 2);
    assert_true(db_wal_bytes(w) > 0);
    db_close(w);
    assert_int_equal(access(path_in("keep.db-wal"), F_OK), -1);
    w = engine_open(E.url, DB_WRITER);
}

static void a_second_keepd_is_told_who_has_the_directory(void **state)
{
    char want[32];
    int first = lock_take(E.dir, &err), second = lock_take(E.dir, &err);

    (void)state;
    assert_true(first >= 0);
    assert_int_equal(second, -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    snprintf(want, sizeof want, "(pid %d)", (int)getpid());
    assert_non_null(strstr(err.msg, want));
    assert_non_null(strstr(err.msg, E.dir));
    lock_release(first);
    second = lock_take(E.dir, &err);
    assert_true(second >= 0);
    lock_release(second);
    assert_int_equal(lock_take("/nonexistent", &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

static void ballast_is_really_allocated_and_given_back(void **state)
{
    struct stat st;

    (void)state;
    assert_false(ballast_release(E.dir));
    assert_int_equal(ballast_keep(E.dir, 1 << 20, &err), 0);
    assert_int_equal(ballast_keep(E.dir, 1 << 20, &err), 0);
    assert_int_equal(stat(path_in("ballast"), &st), 0);
    assert_true(st.st_blocks * 512 >= 1 << 20);
    assert_true(ballast_release(E.dir));
    assert_false(ballast_release(E.dir));
    assert_int_equal(ballast_keep(E.dir, INT64_C(1) << 60, &err), -1);
    assert_int_equal(err.kind, ERR_STORAGE_FULL);
}

/* ---- PostgreSQL ------------------------------------------------------------------------ */

static int64_t pid_of(struct db *db)
{
    int64_t pid = 0;

    assert_int_equal(db_int(db, &Q[PID], DB_NONE, 0, &pid, &err), 0);
    return pid;
}

static void cut(int64_t pid)
{
    struct db *other = engine_open(E.url, DB_MIGRATOR);
    int64_t n;

    assert_int_equal(db_int(other, &Q[KILL], DB_IN(db_i(pid)), 0, &n, &err), 0);
    usleep(50000);
    db_close(other);
}

static void a_connection_lost_in_a_transaction_fails_it_and_the_next_connects_anew(void **state)
{
    (void)state;
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 1), 0);
    cut(pid_of(w));
    assert_int_equal(add(w, 2), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_int_equal(add(w, 3), -1);                     /* must not slip onto a new connection */
    db_rollback(w);
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 4), 0);
    assert_int_equal(db_commit(w, &err), 0);
    assert_int_equal(count(w), 1);
}

static void a_connection_lost_at_commit_has_an_unknown_outcome(void **state)
{
    (void)state;
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 1), 0);
    cut(pid_of(w));
    assert_int_equal(db_commit(w, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "unknown outcome"));
}

static void a_connection_lost_while_idle_goes_unnoticed(void **state)
{
    (void)state;
    assert_int_equal(add(w, 1), 0);
    cut(pid_of(w));
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 2), 0);
    assert_int_equal(db_commit(w, &err), 0);
    assert_int_equal(count(w), 2);
}

static void a_server_that_is_not_there_is_unavailable(void **state)
{
    struct db *db = NULL;

    (void)state;
    assert_int_equal(db_open("postgresql://nobody:hush-hush@127.0.0.1:1/none", DB_WRITER, &db, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_null(strstr(err.msg, "hush-hush"));
}

static void backup_of_postgresql_names_the_command(void **state)
{
    (void)state;
    assert_int_equal(db_backup(w, "/tmp/x", &err), -1);
    assert_non_null(strstr(err.msg, "pg_dump"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest sqlite_only[] = {
    T(the_authorizer_denies_what_no_query_may_do),
    T(audit_takes_inserts),
    T(a_transaction_ended_by_the_engine_lets_nothing_through),
    T(a_column_of_another_type_is_an_error_not_a_conversion),
    T(the_file_is_private_and_must_exist),
    T(names_with_a_meaning_for_sqlite_are_refused),
    T(a_damaged_file_is_unavailable_and_stays_so),
    T(verify_names_a_dangling_reference),
    T(a_backup_is_whole_and_never_overwrites),
    T(only_the_writer_checkpoints),
    T(a_second_keepd_is_told_who_has_the_directory),
    T(ballast_is_really_allocated_and_given_back),
};
static const struct CMUnitTest pg_only[] = {
    T(a_connection_lost_in_a_transaction_fails_it_and_the_next_connects_anew),
    T(a_connection_lost_at_commit_has_an_unknown_outcome),
    T(a_connection_lost_while_idle_goes_unnoticed),
    T(a_server_that_is_not_there_is_unavailable),
    T(backup_of_postgresql_names_the_command),
};

int main(void)
{
    const char *url = engine_pg_url();
    int failed = cmocka_run_group_tests_name("sqlite", sqlite_only, NULL, NULL);

    pg_url = url;
    if (url != NULL)
        failed += cmocka_run_group_tests_name("postgresql", pg_only, NULL, NULL);
    return failed != 0;
}
