/* The contract of server/db/writer.h, the same on SQLite and PostgreSQL. */
#include "engine.h"

#include "base/time.h"
#include "db/fault.h"
#include "db/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

static struct engine E;
static const char *pg_url;
static struct writer *w;
static struct err err;

enum { ADD, COUNT, SUM, LOSE_SQLITE, LOSE_PG };
static const struct db_query Q[] = {
    [ADD] = { "thing.add", "ib", "", "INSERT INTO things (id, raw) VALUES ($1, $2)" },
    [COUNT] = { "thing.count", "", "i", "SELECT COUNT(*) FROM things" },
    [SUM] = { "thing.sum", "", "i", "SELECT CAST(COALESCE(SUM(id), 0) AS BIGINT) FROM things" },
    [LOSE_SQLITE] = { "lose", "", "", "INSERT OR ROLLBACK INTO parts (thing, part) VALUES (1, NULL)" },
    [LOSE_PG] = { "lose", "", "i", "SELECT CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN 1 ELSE 0 END" },
};
static const struct db_queries sets[] = { { Q, 3 } };

enum { QUEUE_MAX = 64, BATCH_MAX = 32 };

static int setup(void **state)
{
    (void)state;
    engine_fresh(&E, pg_url);
    engine_tables(&E);
    ENGINE_OK(writer_open(E.url, sets, 1, QUEUE_MAX, BATCH_MAX, &w, &engine_err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    writer_close(w);
    w = NULL;
    engine_clear(&E);
    return 0;
}

static int64_t ask(int which)
{
    struct db *r = engine_open(E.url, DB_READER);
    int64_t n = -1;

    assert_int_equal(db_int(r, &Q[which], DB_NONE, 0, &n, &err), 0);
    db_close(r);
    return n;
}

/* ---- jobs of the tests --------------------------------------------------------------- */

struct job {
    struct write_job job;
    int64_t id;
    size_t len;                         /* of the blob */
    sem_t *started, *may_go;            /* hold the writer */
    bool fails, loses;
    int rc;                             /* what done was told */
    enum err_kind kind;
    sem_t *ended;
    int order;
};

static atomic_int n_done;

static int job_run(struct db *db, void *arg, struct err *e)
{
    static const char zeros[1 << 20];
    struct job *j = arg;
    int64_t ignored;

    if (j->started != NULL) {
        sem_post(j->started);
        sem_wait(j->may_go);
    }
    if (db_exec(db, &Q[ADD], DB_IN(db_i(j->id), db_b(zeros, j->len)), NULL, e) != 0)
        return -1;
    if (j->loses)
        return db_is_postgres(db) ? db_int(db, &Q[LOSE_PG], DB_NONE, 0, &ignored, e)
                                  : db_exec(db, &Q[LOSE_SQLITE], DB_NONE, NULL, e);
    return j->fails ? err_set(e, ERR_UNPROCESSABLE, "no") : 0;
}

static void job_done(void *arg, int rc, const struct err *e)
{
    struct job *j = arg;

    j->rc = rc;
    j->kind = rc != 0 ? e->kind : ERR_INTERNAL;
    j->order = atomic_fetch_add(&n_done, 1);
    sem_post(j->ended);
}

/* The first one holds the writer until `may_go`, so that the others gather. */
struct crowd {
    struct job jobs[QUEUE_MAX + 2];
    int n;
    sem_t started, may_go, ended;
};

static void crowd_add(struct crowd *c, int64_t id, bool fails, bool loses)
{
    struct job *j = &c->jobs[c->n++];

    *j = (struct job){ .job = { .run = job_run, .done = job_done, .arg = j }, .id = id, .len = 10,
                       .fails = fails, .loses = loses, .ended = &c->ended, .rc = 99 };
    assert_int_equal(writer_submit(w, &j->job, &err), 0);
}

static void crowd_begin(struct crowd *c)
{
    struct job *j = &c->jobs[0];

    atomic_store(&n_done, 0);
    c->n = 1;
    sem_init(&c->started, 0, 0);
    sem_init(&c->may_go, 0, 0);
    sem_init(&c->ended, 0, 0);
    *j = (struct job){ .job = { .run = job_run, .done = job_done, .arg = j }, .id = 1000, .ended = &c->ended,
                       .started = &c->started, .may_go = &c->may_go };
    assert_int_equal(writer_submit(w, &j->job, &err), 0);
    sem_wait(&c->started);
}

static void crowd_end(struct crowd *c)
{
    sem_post(&c->may_go);
    for (int i = 0; i < c->n; i++)
        sem_wait(&c->ended);
}

/* ---- claims ----------------------------------------------------------------------------- */

static void jobs_that_wait_share_one_commit(void **state)
{
    struct crowd c;
    struct writer_stats s;

    (void)state;
    crowd_begin(&c);
    for (int i = 0; i < BATCH_MAX; i++)
        crowd_add(&c, i, false, false);
    writer_stats(w, &s);
    assert_int_equal(s.queue, BATCH_MAX);
    crowd_end(&c);
    writer_stats(w, &s);
    assert_int_equal(s.jobs, BATCH_MAX + 1);
    assert_int_equal(s.batches, 2);
    assert_int_equal(s.failed, 0);
    assert_int_equal(s.queue, 0);
    for (int i = 0; i < c.n; i++)
        assert_int_equal(c.jobs[i].order, i);
    assert_int_equal(ask(COUNT), BATCH_MAX + 1);
}

static void a_batch_takes_no_more_than_its_maximum(void **state)
{
    struct crowd c;
    struct writer_stats s;

    (void)state;
    crowd_begin(&c);
    for (int i = 0; i < 2 * BATCH_MAX; i++)
        crowd_add(&c, i, false, false);
    crowd_end(&c);
    writer_stats(w, &s);
    assert_int_equal(s.batches, 3);
}

static void a_job_that_fails_hurts_nobody(void **state)
{
    struct crowd c;
    struct writer_stats s;

    (void)state;
    crowd_begin(&c);
    for (int i = 0; i < 9; i++)
        crowd_add(&c, i, i % 3 == 1, false);
    crowd_add(&c, 0, false, false);                      /* a duplicate */
    crowd_end(&c);
    for (int i = 0; i < 9; i++)
        assert_int_equal(c.jobs[1 + i].rc, i % 3 == 1 ? -1 : 0);
    assert_int_equal(c.jobs[2].kind, ERR_UNPROCESSABLE);
    assert_int_equal(c.jobs[10].kind, ERR_CONFLICT);
    writer_stats(w, &s);
    assert_int_equal(s.failed, 4);
    assert_int_equal(ask(COUNT), 7);
    assert_int_equal(ask(SUM), 1000 + 0 + 2 + 3 + 5 + 6 + 8);
}

static void a_lone_job_that_fails_leaves_nothing(void **state)
{
    struct job j = { .id = 1, .fails = true };

    (void)state;
    assert_int_equal(writer_call(w, job_run, &j, &err), -1);
    assert_int_equal(err.kind, ERR_UNPROCESSABLE);
    assert_int_equal(ask(COUNT), 0);
    j.fails = false;
    assert_int_equal(writer_call(w, job_run, &j, &err), 0);
    assert_int_equal(ask(COUNT), 1);
}

static void a_lost_transaction_fails_those_that_ran_and_not_the_rest(void **state)
{
    struct crowd c;

    (void)state;
    crowd_begin(&c);
    for (int i = 0; i < 6; i++)
        crowd_add(&c, i, false, i == 2);
    crowd_end(&c);
    for (int i = 0; i < 6; i++)
        assert_int_equal(c.jobs[1 + i].rc, i <= 2 ? -1 : 0);
    assert_int_equal(ask(COUNT), 4);
    assert_int_equal(ask(SUM), 1000 + 3 + 4 + 5);
}

static void a_full_queue_refuses_at_once(void **state)
{
    struct crowd c;
    struct writer_stats s;
    struct job extra = { .job = { .run = job_run, .done = job_done, .arg = &extra }, .rc = 99 };

    (void)state;
    crowd_begin(&c);
    for (int i = 0; i < QUEUE_MAX; i++)
        crowd_add(&c, i, false, false);
    assert_int_equal(writer_submit(w, &extra.job, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    crowd_end(&c);
    writer_stats(w, &s);
    assert_int_equal(s.refused, 1);
    assert_int_equal(extra.rc, 99);
    assert_int_equal(ask(COUNT), QUEUE_MAX + 1);
}

static void *close_it(void *arg)
{
    writer_close(arg);
    return NULL;
}

static void closing_finishes_what_waits(void **state)
{
    struct crowd c;
    pthread_t closer;

    (void)state;
    crowd_begin(&c);
    for (int i = 0; i < 50; i++)
        crowd_add(&c, i, false, false);
    pthread_create(&closer, NULL, close_it, w);
    usleep(20000);
    struct job late = { .job = { .run = job_run, .done = job_done, .arg = &late } };
    assert_int_equal(writer_submit(w, &late.job, &err), -1);
    crowd_end(&c);
    pthread_join(closer, NULL);
    w = NULL;
    for (int i = 0; i < c.n; i++)
        assert_int_equal(c.jobs[i].rc, 0);
    assert_int_equal(ask(COUNT), 51);
}

static void what_done_is_told_is_committed(void **state)
{
    struct db *r = engine_open(E.url, DB_READER);

    (void)state;
    for (int i = 1; i <= 20; i++) {
        struct job j = { .id = i };
        int64_t n;
        assert_int_equal(writer_call(w, job_run, &j, &err), 0);
        assert_int_equal(db_int(r, &Q[COUNT], DB_NONE, 0, &n, &err), 0);
        assert_int_equal(n, i);
    }
    db_close(r);
}

/* ---- many threads --------------------------------------------------------------------- */

enum { THREADS = 8, EACH = 150 };
struct submitter { int n; int64_t ok, sum, refused; };

static void *submit_many(void *arg)
{
    struct submitter *s = arg;

    for (int i = 0; i < EACH;) {
        struct err e;
        struct job j = { .id = s->n * EACH + i, .len = 100, .fails = i % 10 == 9 };
        if (writer_call(w, job_run, &j, &e) == 0) {
            s->ok++;
            s->sum += j.id;
        } else if (e.kind == ERR_UNAVAILABLE) {
            s->refused++;
            continue;
        }
        i++;
    }
    return NULL;
}

static void eight_threads_lose_nothing(void **state)
{
    pthread_t threads[THREADS];
    struct submitter s[THREADS] = { 0 };
    int64_t ok = 0, sum = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        s[i].n = i;
        pthread_create(&threads[i], NULL, submit_many, &s[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ok += s[i].ok;
        sum += s[i].sum;
    }
    assert_int_equal(ok, THREADS * EACH * 9 / 10);
    assert_int_equal(ask(COUNT), ok);
    assert_int_equal(ask(SUM), sum);
}

/* ---- faults ------------------------------------------------------------------------------ */

/* One crowd of 5 with call n failing: what was acknowledged is there, what failed
 * is not.  False when nothing was failed any more. */
static bool crowd_with_fault(int n, const char *kind, bool *broken)
{
    struct crowd c;
    char url[600];
    int64_t fired = db_fault_fired(), sum = 0;
    struct writer_stats s;

    writer_close(w);
    w = NULL;
    engine_fresh(&E, pg_url);
    engine_tables(&E);
    snprintf(url, sizeof url, "fault:%d:%s:%s", n, kind, E.url);
    if (writer_open(url, sets, 1, QUEUE_MAX, BATCH_MAX, &w, &err) != 0)
        return true;
    crowd_begin(&c);
    for (int i = 1; i <= 5; i++)
        crowd_add(&c, i, i == 3, false);
    crowd_end(&c);
    for (int i = 0; i < c.n; i++)
        sum += c.jobs[i].rc == 0 ? c.jobs[i].id : 0;
    assert_int_equal(ask(SUM), sum);
    writer_stats(w, &s);
    *broken = s.broken;
    if (s.broken) {
        assert_int_equal(writer_submit(w, &c.jobs[0].job, &err), -1);
        assert_int_equal(err.kind, ERR_UNAVAILABLE);
    }
    return db_fault_fired() > fired;
}

static void any_call_may_fail_and_answers_stay_true(void **state)
{
    static const char *const kinds[] = { "unavailable", "storage-full" };
    bool broken = false;
    int n = 1;

    (void)state;
    db_fault_enable();
    for (size_t k = 0; k < N_ITEMS(kinds); k++) {
        /* 1 to 3 are the prepares; 4 is the first begin, and crowd_begin waits for
         * the job behind it to run. */
        for (n = 1; n == 4 || crowd_with_fault(n, kinds[k], &broken); n++)
            assert_false(broken);
    }
    assert_in_range(n, 20, 100);
}

static void after_a_failed_sync_nothing_is_accepted(void **state)
{
    bool broken = false;
    int n, seen = 0;

    (void)state;
    db_fault_enable();
    for (n = 5; crowd_with_fault(n, "broken", &broken); n++)
        seen += broken;
    assert_true(seen > 10);
}

/* ---- the log of SQLite -------------------------------------------------------------------- */

static int write_mib(int id)
{
    struct job j = { .id = id, .len = 1 << 20 };

    return writer_call(w, job_run, &j, &err);
}

static int64_t wal_now(void)
{
    struct job j = { .id = 1000000 + (int64_t)atomic_fetch_add(&n_done, 1) };
    struct writer_stats s;

    /* The log is tended after `done`: one more round trip sees it. */
    assert_int_equal(writer_call(w, job_run, &j, &err), 0);
    writer_stats(w, &s);
    return s.wal_bytes;
}

static void the_log_stays_short(void **state)
{
    struct writer_stats s;

    (void)state;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(write_mib(i), 0);
        writer_stats(w, &s);
        assert_true(s.wal_bytes < 12 << 20);
    }
    assert_true(s.checkpoints >= 3);
}

static void a_log_held_by_a_reader_shrinks_when_it_leaves(void **state)
{
    struct db *r = engine_open(E.url, DB_READER);
    int64_t n;

    (void)state;
    assert_int_equal(db_begin_read(r, &err), 0);
    assert_int_equal(db_int(r, &Q[COUNT], DB_NONE, 0, &n, &err), 0);
    for (int i = 0; i < 75; i++)
        assert_int_equal(write_mib(i), 0);
    assert_true(wal_now() > 64 << 20);
    assert_int_equal(db_int(r, &Q[COUNT], DB_NONE, 0, &n, &err), 0);
    assert_int_equal(n, 0);                       /* and it still sees its moment */
    db_close(r);
    for (int i = 100; i < 106; i++)
        assert_int_equal(write_mib(i), 0);
    assert_true(wal_now() < 8 << 20);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest both[] = {
    T(jobs_that_wait_share_one_commit),
    T(a_batch_takes_no_more_than_its_maximum),
    T(a_job_that_fails_hurts_nobody),
    T(a_lone_job_that_fails_leaves_nothing),
    T(a_lost_transaction_fails_those_that_ran_and_not_the_rest),
    T(a_full_queue_refuses_at_once),
    T(closing_finishes_what_waits),
    T(what_done_is_told_is_committed),
    T(eight_threads_lose_nothing),
    T(any_call_may_fail_and_answers_stay_true),
    T(after_a_failed_sync_nothing_is_accepted),
};
static const struct CMUnitTest sqlite_only[] = {
    T(the_log_stays_short),
    T(a_log_held_by_a_reader_shrinks_when_it_leaves),
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
