/* A disk that fills up: refusals say so, nothing acknowledged is lost, reads go on,
 * and with the ballast given back deletes work and the writer recovers by itself.
 *
 * On a tmpfs in a mount namespace of our own; skipped where that is not permitted. */
#include "tests/store/engine.h"

#include "db/ballast.h"
#include "db/writer.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

enum { PUT, DROP, COUNT };
static const struct db_query Q[] = {
    [PUT] = { "thing.put", "ib", "", "INSERT INTO things (id, raw) VALUES ($1, $2)" },
    [DROP] = { "thing.drop", "i", "", "DELETE FROM things WHERE id < $1" },
    [COUNT] = { "thing.count", "", "i", "SELECT COUNT(*) FROM things" },
};
static const struct db_queries sets[] = { { Q, N_ITEMS(Q) } };
static struct engine E;
static struct err err;

static int put(struct db *db, void *arg, struct err *e)
{
    static const char raw[40000];

    return db_exec(db, &Q[PUT], DB_IN(db_i(*(int64_t *)arg), db_b(raw, sizeof raw)), NULL, e);
}

static int drop(struct db *db, void *arg, struct err *e)
{
    return db_exec(db, &Q[DROP], DB_IN(db_i(*(int64_t *)arg)), NULL, e);
}

static int64_t count(void)
{
    struct db *r = engine_open(E.url, DB_READER);
    int64_t n = -1;

    assert_int_equal(db_int(r, &Q[COUNT], DB_NONE, 0, &n, &err), 0);
    db_close(r);
    return n;
}

/* Writes until refused; what was acknowledged. */
static int64_t fill(struct writer *w, int64_t *id)
{
    int64_t n = 0;

    while (writer_call(w, put, id, &err) == 0) {
        ++*id;
        n++;
    }
    assert_int_equal(err.kind, ERR_STORAGE_FULL);
    return n;
}

static void a_full_disk_refuses_loses_nothing_and_recovers(void **state)
{
    struct writer *w;
    struct writer_stats s;
    int64_t id = 0, acked;

    (void)state;
    engine_tables(&E);
    assert_int_equal(ballast_keep(E.dir, BALLAST_BYTES, &err), 0);
    ENGINE_OK(writer_open(E.url, sets, 1, 16, 8, &w, &engine_err));
    acked = fill(w, &id);
    assert_true(acked > 100);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(writer_call(w, put, &id, &err), -1);
        assert_int_equal(err.kind, ERR_STORAGE_FULL);
    }
    writer_stats(w, &s);
    assert_true(s.full);
    assert_false(s.broken);
    assert_int_equal(count(), acked);                   /* reads go on */

    assert_true(ballast_release(E.dir));
    int64_t oldest = 0;
    while (oldest < acked / 2) {                        /* retention, as the housekeeper would */
        oldest += 50;
        if (writer_call(w, drop, &oldest, &err) != 0)
            fail_msg("%s", err.msg);
    }
    assert_int_equal(count(), acked - oldest);
    writer_stats(w, &s);
    assert_false(s.full);
    int64_t more = fill(w, &id);
    assert_true(more >= oldest / 2);                    /* the space is used again */
    writer_close(w);
    assert_int_equal(count(), acked - oldest + more);
}

static void it_is_sound_afterwards(void **state)
{
    struct db *db = engine_open(E.url, DB_WRITER);
    struct arena arena;
    char *report = NULL;

    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(db_verify(db, &arena, &report, &err), 0);
    assert_string_equal(report, "");
    arena_clear(&arena);
    db_close(db);
}

static void the_ballast_is_not_made_of_the_last_space(void **state)
{
    (void)state;
    assert_int_equal(ballast_keep(E.dir, INT64_C(40) << 20, &err), -1);
    assert_int_equal(err.kind, ERR_STORAGE_FULL);
}

static bool small_disk(void)
{
    snprintf(E.dir, sizeof E.dir, "/tmp/keep-test-XXXXXX");
    if (mkdtemp(E.dir) == NULL)
        abort();
    snprintf(E.url, sizeof E.url, "%s/keep.db", E.dir);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", E.dir, "tmpfs", 0, "size=48m,mode=700") == 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_loses_nothing_and_recovers),
        cmocka_unit_test(it_is_sound_afterwards),
        cmocka_unit_test(the_ballast_is_not_made_of_the_last_space),
    };

    if (!small_disk()) {
        printf("full disk: skipped, no mount namespace: %s\n", strerror(errno));
        rmdir(E.dir);
        return 0;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    umount2(E.dir, MNT_DETACH);
    rmdir(E.dir);
    return failed != 0;
}
