/* The contract of server/db/db.h, the same on SQLite and PostgreSQL. */
#include "engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static struct engine E;
static const char *pg_url;           /* of the running group; NULL: SQLite */
static struct db *w;                 /* a writer on fresh tables */
static struct err err;

enum { ADD, GET, RENAME, DROP, ALL, COUNT, ADD_PART, ADD_AUDIT, COUNT_UP, NAME_OF };
static const struct db_query Q[] = {
    [ADD] = { "thing.add", "itbi", "", "INSERT INTO things (id, name, raw, n) VALUES ($1, $2, $3, $4)" },
    [GET] = { "thing.get", "i", "itbi", "SELECT id, name, raw, n FROM things WHERE id = $1" },
    [RENAME] = { "thing.rename", "ti", "", "UPDATE things SET name = $1 WHERE id >= $2" },
    [DROP] = { "thing.drop", "i", "i", "DELETE FROM things WHERE id = $1 RETURNING id" },
    [ALL] = { "thing.all", "", "it", "SELECT id, name FROM things ORDER BY id" },
    [COUNT] = { "thing.count", "", "i", "SELECT COUNT(*) FROM things" },
    [ADD_PART] = { "part.add", "it", "", "INSERT INTO parts (thing, part) VALUES ($1, $2)" },
    [ADD_AUDIT] = { "audit.add", "it", "", "INSERT INTO audit (seq, what) VALUES ($1, $2)" },
    [COUNT_UP] = { "count.up", "i", "i", "WITH RECURSIVE r (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL "
                   "SELECT n + 1 FROM r WHERE n < $1) SELECT COUNT(*) FROM r" },
    [NAME_OF] = { "thing.name", "i", "i", "SELECT CASE WHEN name = 'a' THEN 1 ELSE 0 END FROM things WHERE id = $1" },
};
static const struct db_queries sets[] = { { Q, N_ITEMS(Q) } };

static int setup(void **state)
{
    (void)state;
    engine_fresh(&E, pg_url);
    engine_tables(&E);
    w = engine_open(E.url, DB_WRITER);
    ENGINE_OK(db_prepare_all(w, sets, 1, &engine_err));
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

static int add(struct db *db, int64_t id, const char *name)
{
    return db_exec(db, &Q[ADD], DB_IN(db_i(id), db_t(name), db_b(NULL, 0), db_i_null()), NULL, &err);
}

static int64_t count(struct db *db)
{
    int64_t n = -1;

    assert_int_equal(db_int(db, &Q[COUNT], DB_NONE, 0, &n, &err), 0);
    return n;
}

/* ---- values --------------------------------------------------------------------- */

static void check_round_trip(int64_t id, struct db_value name, struct db_value raw, struct db_value n)
{
    struct db_rows rows;

    assert_int_equal(db_exec(w, &Q[ADD], DB_IN(db_i(id), name, raw, n), NULL, &err), 0);
    assert_int_equal(db_row(w, &Q[GET], DB_IN(db_i(id)), &rows, &err), 1);
    assert_int_equal(db_col_i(&rows, 0), id);
    assert_int_equal(db_col_is_null(&rows, 1), name.null);
    assert_int_equal(db_col_is_null(&rows, 2), raw.null);
    assert_int_equal(db_col_is_null(&rows, 3), n.null);
    assert_true(str_eq(db_col_t(&rows, 1), name.null ? NULL : name.ptr));
    struct bytes b = db_col_b(&rows, 2);
    assert_int_equal(b.len, raw.len);
    assert_true(raw.null ? b.ptr == NULL : memcmp(b.ptr, raw.ptr, raw.len) == 0);
    assert_int_equal(db_col_i(&rows, 3), n.null ? 0 : n.i);
    assert_int_equal(db_col_time(&rows, 3), n.null ? INT64_MIN : n.i);
    assert_int_equal(db_rows_next(&rows, &err), 0);
    db_rows_close(&rows);
}

static void every_letter_and_null_comes_back_as_it_went(void **state)
{
    static const unsigned char raw[] = { 0, 1, 0x80, 0xff, 0, '\\', '\'' };

    (void)state;
    check_round_trip(1, db_t("plain"), db_b(raw, sizeof raw), db_i(7));
    check_round_trip(2, db_t(NULL), db_b(NULL, 0), db_i_null());
    check_round_trip(3, db_t(""), db_b("", 0), db_i(0));
    check_round_trip(INT64_MAX, db_t("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3 '\"\\%_$1"), db_b(raw, 1), db_i(INT64_MAX));
    check_round_trip(INT64_MIN + 1, db_t("smallest"), db_b(raw, 2), db_time(INT64_MIN));
    check_round_trip(-1, db_t("minus"), db_b(raw, 3), db_time(1));
}

static void sixty_four_mib_fit(void **state)
{
    size_t len = (size_t)64 << 20;
    char *big = malloc(len);

    (void)state;
    for (size_t i = 0; i < len; i++)
        big[i] = (char)(i * 31 + (i >> 12));
    check_round_trip(1, db_t("big"), db_b(big, len), db_i(1));
    free(big);
}

static void a_copy_of_text_goes_into_the_arena_or_fails_once(void **state)
{
    struct arena small, large;
    struct db_rows rows;
    bool failed = false;

    (void)state;
    arena_init(&small, 16);
    arena_init(&large, 1 << 20);
    add(w, 1, "a name longer than sixteen bytes");
    assert_int_equal(db_row(w, &Q[GET], DB_IN(db_i(1)), &rows, &err), 1);
    assert_string_equal(db_col_text(&rows, 1, &large, &failed), "a name longer than sixteen bytes");
    assert_false(failed);
    assert_null(db_col_text(&rows, 1, &small, &failed));
    assert_true(failed);
    db_rows_close(&rows);
    arena_clear(&small);
    arena_clear(&large);
}

static void one_int_of_one_row_or_the_default(void **state)
{
    int64_t n;

    (void)state;
    assert_int_equal(db_int(w, &Q[NAME_OF], DB_IN(db_i(1)), -5, &n, &err), 0);
    assert_int_equal(n, -5);
    add(w, 1, "a");
    assert_int_equal(db_int(w, &Q[NAME_OF], DB_IN(db_i(1)), -5, &n, &err), 0);
    assert_int_equal(n, 1);
}

static void changed_rows_are_counted(void **state)
{
    int64_t n = -1;
    struct db_rows rows;

    (void)state;
    add(w, 1, "a");
    assert_int_equal(db_exec(w, &Q[RENAME], DB_IN(db_t("b"), db_i(1)), &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(db_exec(w, &Q[RENAME], DB_IN(db_t("c"), db_i(2)), &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(db_row(w, &Q[DROP], DB_IN(db_i(1)), &rows, &err), 1);
    assert_int_equal(db_col_i(&rows, 0), 1);
    db_rows_close(&rows);
    assert_int_equal(count(w), 0);
}

/* ---- errors ----------------------------------------------------------------------- */

static void constraints_are_conflict_or_invalid(void **state)
{
    (void)state;
    assert_int_equal(add(w, 1, "a"), 0);
    assert_int_equal(add(w, 1, "b"), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_true(str_starts(err.msg, "thing.add: "));
    assert_int_equal(add(w, 2, "a"), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(db_exec(w, &Q[ADD], DB_IN(db_i(3), db_t("c"), db_b(NULL, 0), db_i(-1)), NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_int_equal(db_exec(w, &Q[ADD_PART], DB_IN(db_i(99), db_t("x")), NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_int_equal(db_exec(w, &Q[ADD_PART], DB_IN(db_i(1), db_t(NULL)), NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_int_equal(count(w), 1);
}

static void errors_never_show_values(void **state)
{
    (void)state;
    add(w, 1, "secret-name");
    assert_int_equal(add(w, 2, "secret-name"), -1);
    assert_null(strstr(err.msg, "secret-name"));
}

static void text_that_is_not_utf8_is_invalid(void **state)
{
    (void)state;
    assert_int_equal(add(w, 1, "\xc3("), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_int_equal(add(w, 1, "\xed\xa0\x80"), -1);
    assert_int_equal(err.kind, ERR_INVALID);
    assert_int_equal(count(w), 0);
}

static void wrong_parameters_are_our_mistake(void **state)
{
    (void)state;
    assert_int_equal(db_exec(w, &Q[RENAME], DB_IN(db_t("a")), NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(db_exec(w, &Q[RENAME], DB_IN(db_i(1), db_i(1)), NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(db_exec(w, &Q[COUNT], DB_NONE, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
}

static void a_query_outside_the_rules_is_refused_at_prepare(void **state)
{
    static const struct db_query bad[] = {
        { "descending", "ii", "", "UPDATE things SET n = $2 WHERE id = $1" },
        { "gap", "ii", "", "UPDATE things SET n = $1 WHERE id = $3" },
        { "zero", "i", "", "UPDATE things SET n = $0" },
        { "question mark", "i", "", "UPDATE things SET n = ?" },
        { "named", "i", "", "UPDATE things SET n = :n" },
        { "too few letters", "i", "", "UPDATE things SET n = $1 WHERE id = $2" },
        { "too many letters", "iii", "", "UPDATE things SET n = $1 WHERE id = $2" },
        { "only in a literal", "i", "", "UPDATE things SET name = '$1'" },
        { "unknown letter", "x", "", "UPDATE things SET n = $1" },
        { "two statements", "", "", "DELETE FROM things; DELETE FROM parts" },
        { "too few columns", "", "i", "SELECT id, n FROM things" },
        { "too many columns", "", "iii", "SELECT id, n FROM things" },
        { "text as int", "", "i", "SELECT name FROM things" },
        { "int as text", "", "t", "SELECT id FROM things" },
        { "bytes as text", "", "t", "SELECT raw FROM things" },
        { "no such table", "", "i", "SELECT id FROM nothing" },
        { "text in double quotes", "", "", "UPDATE things SET name = \"text\"" },
        { "not SQL", "", "", "SELEKT" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++) {
        const struct db_queries set = { &bad[i], 1 };
        if (db_prepare_all(w, &set, 1, &err) == 0)
            fail_msg("%s was accepted", bad[i].name);
        assert_int_equal(err.kind, ERR_INTERNAL);
    }
}

static void a_query_within_the_rules_is_accepted(void **state)
{
    static const struct db_query good[] = {
        { "reused", "ti", "", "UPDATE things SET name = $1 WHERE id = $2 AND name <> $1" },
        { "number in a literal", "i", "", "UPDATE things SET name = 'it''s $7 -- ? :x' WHERE id = $1" },
        { "number in a comment", "i", "", "UPDATE things SET n = 1 -- $9\n WHERE id = $1" },
        { "twelve", "iiiiiiiiiiii", "i", "SELECT COUNT(*) FROM things WHERE id IN ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)" },
        { "optional filter", "i", "i", "SELECT id FROM things WHERE ($1 IS NULL OR id = $1)" },
    };
    const struct db_queries set = { good, N_ITEMS(good) };

    (void)state;
    if (db_prepare_all(w, &set, 1, &err) != 0)
        fail_msg("%s", err.msg);
}

/* ---- statements ------------------------------------------------------------------------ */

static void a_query_may_be_open_inside_itself(void **state)
{
    struct db_rows outer, inner;
    int n = 0;

    (void)state;
    for (int i = 1; i <= 3; i++)
        assert_int_equal(add(w, i, NULL), 0);
    assert_int_equal(db_rows_open(w, &Q[ALL], DB_NONE, &outer, &err), 0);
    while (db_rows_next(&outer, &err) == 1) {
        int64_t seen = 0;
        assert_int_equal(db_rows_open(w, &Q[ALL], DB_NONE, &inner, &err), 0);
        while (db_rows_next(&inner, &err) == 1)
            seen += db_col_i(&inner, 0);
        db_rows_close(&inner);
        assert_int_equal(seen, 6);
        assert_int_equal(db_col_i(&outer, 0), ++n);
    }
    assert_int_equal(n, 3);
    db_rows_close(&outer);
    db_rows_close(&outer);
}

static void rows_do_not_outlive_their_transaction(void **state)
{
    struct db_rows left, other;

    (void)state;
    add(w, 1, "a");
    assert_int_equal(db_begin_read(w, &err), 0);
    assert_int_equal(db_rows_open(w, &Q[ALL], DB_NONE, &left, &err), 0);
    assert_int_equal(db_commit(w, &err), 0);
    assert_int_equal(db_rows_open(w, &Q[ALL], DB_NONE, &other, &err), 0);
    assert_int_equal(db_rows_next(&left, &err), -1);
    db_rows_close(&left);                         /* must not close the other one */
    assert_int_equal(db_rows_next(&other, &err), 1);
    db_rows_close(&other);
    assert_int_equal(db_rows_open(w, &Q[ALL], DB_IN(db_i(1)), &left, &err), -1);
    db_rows_close(&left);
}

static void parameters_of_rows_are_copied(void **state)
{
    static const struct db_query by_name = { "by.name", "t", "i", "SELECT id FROM things WHERE name = $1" };
    char name[] = "a";
    struct db_rows rows;

    (void)state;
    add(w, 1, "a");
    assert_int_equal(db_rows_open(w, &by_name, DB_IN(db_t(name)), &rows, &err), 0);
    name[0] = 'x';
    assert_int_equal(db_rows_next(&rows, &err), 1);
    db_rows_close(&rows);
}

/* ---- transactions ------------------------------------------------------------------------ */

static void a_rolled_back_transaction_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(db_begin_write(w, &err), -1);
    assert_int_equal(add(w, 1, "a"), 0);
    db_rollback(w);
    assert_int_equal(count(w), 0);
    assert_int_equal(db_commit(w, &err), -1);
}

static void after_an_error_a_transaction_only_rolls_back(void **state)
{
    int64_t n;

    (void)state;
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 1, "a"), 0);
    assert_int_equal(add(w, 1, "b"), -1);
    assert_int_equal(add(w, 2, "b"), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(db_int(w, &Q[COUNT], DB_NONE, 0, &n, &err), -1);
    assert_int_equal(db_savepoint(w, &err), -1);
    assert_int_equal(db_commit(w, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(count(w), 0);
    assert_int_equal(add(w, 3, "c"), 0);
}

static void a_savepoint_heals_a_failed_transaction(void **state)
{
    (void)state;
    assert_int_equal(db_savepoint(w, &err), -1);
    assert_int_equal(db_begin_write(w, &err), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_savepoint(w, &err), 0);
        assert_int_equal(db_savepoint(w, &err), -1);
        assert_int_equal(add(w, 10 + i, NULL), 0);
        assert_int_equal(db_savepoint_release(w, &err), 0);
        assert_int_equal(db_savepoint(w, &err), 0);
        assert_int_equal(add(w, 20 + i, NULL), 0);
        assert_int_equal(add(w, 20 + i, NULL), -1);
        assert_int_equal(db_savepoint_release(w, &err), -1);
        assert_int_equal(db_savepoint_rollback(w, &err), 0);
    }
    assert_int_equal(db_commit(w, &err), 0);
    assert_int_equal(count(w), 3);
}

static void a_reader_sees_one_moment_and_only_what_is_committed(void **state)
{
    struct db *r = engine_open(E.url, DB_READER);

    (void)state;
    assert_int_equal(db_prepare_all(r, sets, 1, &err), 0);
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(add(w, 1, "a"), 0);
    assert_int_equal(count(r), 0);
    assert_int_equal(db_commit(w, &err), 0);
    assert_int_equal(db_begin_read(r, &err), 0);
    assert_int_equal(count(r), 1);
    assert_int_equal(add(w, 2, "b"), 0);
    assert_int_equal(count(r), 1);
    assert_int_equal(db_commit(r, &err), 0);
    assert_int_equal(count(r), 2);
    db_close(r);
}

static void a_reader_cannot_write(void **state)
{
    struct db *r = engine_open(E.url, DB_READER);

    (void)state;
    assert_int_equal(db_begin_write(r, &err), -1);
    assert_int_equal(add(r, 1, "a"), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(db_begin_read(r, &err), 0);
    assert_int_equal(add(r, 1, "a"), -1);
    db_rollback(r);
    assert_int_equal(db_checkpoint(r, false, &err), -1);
    assert_int_equal(db_script(r, "CREATE TABLE x (i INTEGER)", &err), -1);
    assert_int_equal(count(w), 0);
    db_close(r);
}

static void who_waits_too_long_for_the_write_lock_is_told_unavailable(void **state)
{
    struct db *second = engine_open(E.url, DB_WRITER);

    (void)state;
    assert_int_equal(db_begin_write(w, &err), 0);
    assert_int_equal(db_begin_write(second, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    db_rollback(w);
    assert_int_equal(db_begin_write(second, &err), 0);
    db_close(second);
}

static void a_read_ends_with_its_time_budget(void **state)
{
    struct db *r = engine_open(E.url, DB_READER);
    int64_t n;

    (void)state;
    db_budget(r, 60);
    assert_int_equal(db_begin_read(r, &err), 0);
    assert_int_equal(db_int(r, &Q[COUNT_UP], DB_IN(db_i(INT64_C(1) << 40)), 0, &n, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    db_rollback(r);
    db_budget(r, 0);
    assert_int_equal(db_begin_read(r, &err), 0);
    assert_int_equal(db_int(r, &Q[COUNT_UP], DB_IN(db_i(1000)), 0, &n, &err), 0);
    assert_int_equal(n, 1000);
    db_close(r);
}

/* ---- upkeep --------------------------------------------------------------------------------- */

static void a_sound_database_verifies_clean(void **state)
{
    struct arena arena;
    char *report = NULL;

    (void)state;
    arena_init(&arena, 1 << 20);
    add(w, 1, "a");
    assert_int_equal(db_verify(w, &arena, &report, &err), 0);
    assert_string_equal(report, "");
    assert_true(db_size_bytes(w) > 0);
    arena_clear(&arena);
}

static void a_plan_names_the_table(void **state)
{
    struct arena arena;
    char *plan = NULL;

    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(db_explain(w, &Q[GET], &arena, &plan, &err), 0);
    assert_non_null(strstr(plan, "things"));
    assert_int_equal(db_explain(w, &Q[COUNT], &arena, &plan, &err), 0);
    arena_clear(&arena);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest both[] = {
    T(every_letter_and_null_comes_back_as_it_went),
    T(sixty_four_mib_fit),
    T(a_copy_of_text_goes_into_the_arena_or_fails_once),
    T(one_int_of_one_row_or_the_default),
    T(changed_rows_are_counted),
    T(constraints_are_conflict_or_invalid),
    T(errors_never_show_values),
    T(text_that_is_not_utf8_is_invalid),
    T(wrong_parameters_are_our_mistake),
    T(a_query_outside_the_rules_is_refused_at_prepare),
    T(a_query_within_the_rules_is_accepted),
    T(a_query_may_be_open_inside_itself),
    T(rows_do_not_outlive_their_transaction),
    T(parameters_of_rows_are_copied),
    T(a_rolled_back_transaction_changes_nothing),
    T(after_an_error_a_transaction_only_rolls_back),
    T(a_savepoint_heals_a_failed_transaction),
    T(a_reader_sees_one_moment_and_only_what_is_committed),
    T(a_reader_cannot_write),
    T(who_waits_too_long_for_the_write_lock_is_told_unavailable),
    T(a_read_ends_with_its_time_budget),
    T(a_sound_database_verifies_clean),
    T(a_plan_names_the_table),
};

int main(void)
{
    const char *url = engine_pg_url();
    int failed = cmocka_run_group_tests_name("sqlite", both, NULL, NULL);

    pg_url = url;
    if (url != NULL)
        failed += cmocka_run_group_tests_name("postgresql", both, NULL, NULL);
    return failed != 0;
}
