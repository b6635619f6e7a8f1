/* writer.c - see writer.h.
 *
 * The queue is a list under one mutex; everything else belongs to the thread.
 * While it commits, the next batch gathers: batches grow with the load by
 * themselves, and a lone job is never made to wait for company. */
#include "db/writer.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

enum { CHECKPOINT_BATCHES = 64 };
static const int64_t checkpoint_at = 4 << 20, checkpoint_by = 8 << 20, truncate_at = 64 << 20;

struct writer {
    pthread_mutex_t lock;              /* guards what follows, down to stats */
    pthread_cond_t wake;
    struct write_job *head, **tail;
    size_t n_queued, queue_max;
    bool closing;
    struct writer_stats stats;

    size_t batch_max;                  /* the thread's own */
    struct db *db;
    pthread_t thread;
    int64_t wal_done;                  /* the log's length at the last checkpoint */
    int64_t wal_busy;                  /* and when truncating it was last refused */
    int batches_since;                 /* since the last checkpoint */
    bool is_log_stuck;                 /* the last checkpoint found the disk full */
};

/* ---- one batch -------------------------------------------------------------------- */

static int64_t monotonic_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Inside a savepoint; false when the transaction itself is lost, and *lost says why. */
static bool job_isolated(struct db *db, struct write_job *job, struct err *lost)
{
    if (db_savepoint(db, lost) != 0)
        return false;
    job->rc = job->run(db, job->arg, &job->err);
    if (job->rc == 0)
        job->rc = db_savepoint_release(db, &job->err);
    return job->rc == 0 || db_savepoint_rollback(db, lost) == 0;
}

static void fail_until(struct write_job *job, const struct write_job *end, const struct err *err)
{
    for (; job != end; job = job->next) {
        job->rc = -1;
        job->err = *err;
    }
}

/* Runs a batch of several; returns the first job that has not run (NULL: all have). */
static struct write_job *batch_run(struct db *db, struct write_job *first, struct err *lost, bool *is_lost)
{
    *is_lost = false;
    for (struct write_job *job = first; job != NULL; job = job->next)
        if (!job_isolated(db, job, lost)) {
            *is_lost = true;
            return job->next;
        }
    return NULL;
}

/* A transaction for the jobs from `first`; all up to the returned one have their rc. */
static struct write_job *transact(struct writer *w, struct write_job *first, int64_t *commit_us)
{
    struct write_job *rest = NULL;
    struct err err;
    bool is_lost = false;

    if (db_begin_write(w->db, &err) != 0) {
        fail_until(first, NULL, &err);
        return NULL;
    }
    if (first->next == NULL) {
        first->rc = first->run(w->db, first->arg, &first->err);
        if (first->rc != 0) {
            db_rollback(w->db);
            return NULL;
        }
    } else {
        rest = batch_run(w->db, first, &err, &is_lost);
    }
    int64_t start = monotonic_us();
    if (is_lost)
        db_rollback(w->db);
    if (is_lost || db_commit(w->db, &err) != 0)
        fail_until(first, rest, &err);
    *commit_us = monotonic_us() - start;
    return rest;
}

/* `done` may free its job. */
static void answer(struct write_job *job, const struct write_job *end)
{
    for (struct write_job *next; job != end; job = next) {
        next = job->next;
        job->done(job->arg, job->rc, &job->err);
    }
}

static void count(struct writer *w, const struct write_job *job, const struct write_job *end, int64_t commit_us)
{
    int64_t n = 0, failed = 0;
    bool full = false;

    for (; job != end; job = job->next, n++)
        if (job->rc != 0) {
            failed++;
            full = full || job->err.kind == ERR_STORAGE_FULL;
        }
    pthread_mutex_lock(&w->lock);
    w->stats.jobs += n;
    w->stats.failed += failed;
    w->stats.batches++;
    w->stats.commit_us_last = commit_us;
    w->stats.broken = db_is_broken(w->db);
    w->stats.full = full || w->is_log_stuck;
    pthread_mutex_unlock(&w->lock);
}

static void batch(struct writer *w, struct write_job *first)
{
    while (first != NULL) {
        int64_t commit_us = 0;
        struct write_job *rest = transact(w, first, &commit_us);
        count(w, first, rest, commit_us);
        answer(first, rest);
        first = rest;
    }
}

/* ---- the log ------------------------------------------------------------------------ */

static void checkpoint(struct writer *w, bool truncate)
{
    struct err err;                    /* readers in the way: there will be another time */
    int rc = db_checkpoint(w->db, truncate, &err);

    w->is_log_stuck = rc != 0 && err.kind == ERR_STORAGE_FULL;

    w->batches_since = 0;
    w->wal_done = db_wal_bytes(w->db);
    w->wal_busy = truncate && rc != 0 ? w->wal_done : 0;
    pthread_mutex_lock(&w->lock);
    w->stats.checkpoints += rc == 0;
    w->stats.full = w->stats.full || w->is_log_stuck;
    w->stats.broken = db_is_broken(w->db);
    pthread_mutex_unlock(&w->lock);
}

/* Idle, or often enough, or long enough: copy back what has gathered.  When readers never let the
 * log start over it grows all the same: then insist, but not at every batch. */
static void tend_log(struct writer *w, bool idle, bool full)
{
    int64_t wal = db_wal_bytes(w->db);

    if (db_is_broken(w->db))
        return;
    if (wal < w->wal_done)
        w->wal_done = w->wal_busy = 0;         /* it started over */
    w->batches_since++;
    if (full || (wal > truncate_at && wal > w->wal_busy + checkpoint_at))
        checkpoint(w, true);
    else if (wal > w->wal_done + checkpoint_at &&
             (idle || w->batches_since >= CHECKPOINT_BATCHES || wal > w->wal_done + checkpoint_by))
        checkpoint(w, false);
    pthread_mutex_lock(&w->lock);
    w->stats.wal_bytes = db_wal_bytes(w->db);
    pthread_mutex_unlock(&w->lock);
}

/* ---- the thread ----------------------------------------------------------------------- */

/* Waits; up to batch_max jobs, or NULL when closing and empty. */
static struct write_job *take(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->head == NULL && !w->closing)
        pthread_cond_wait(&w->wake, &w->lock);
    struct write_job *first = w->head, *last = first;
    size_t n = first != NULL;
    while (n > 0 && n < w->batch_max && last->next != NULL) {
        last = last->next;
        n++;
    }
    if (n > 0) {
        w->head = last->next;
        last->next = NULL;
        if (w->head == NULL)
            w->tail = &w->head;
        w->n_queued -= n;
    }
    pthread_mutex_unlock(&w->lock);
    return first;
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;

    for (struct write_job *first; (first = take(w)) != NULL;) {
        batch(w, first);
        pthread_mutex_lock(&w->lock);
        bool idle = w->head == NULL, full = w->stats.full;
        pthread_mutex_unlock(&w->lock);
        tend_log(w, idle, full);
    }
    if (!db_is_broken(w->db))
        checkpoint(w, true);
    return NULL;
}

/* ---- for the others ----------------------------------------------------------------------- */

int writer_open(const char *url, const struct db_queries *sets, size_t n_sets,
                size_t queue_max, size_t batch_max, struct writer **out, struct err *err)
{
    struct writer *w = calloc(1, sizeof *w);

    assert(queue_max > 0 && batch_max > 0);
    if (w == NULL)
        return err_nomem(err);
    w->queue_max = queue_max;
    w->batch_max = batch_max;
    w->tail = &w->head;
    if (db_open(url, DB_WRITER, &w->db, err) != 0 || db_prepare_all(w->db, sets, n_sets, err) != 0) {
        db_close(w->db);
        free(w);
        return -1;
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (pthread_create(&w->thread, NULL, writer_main, w) != 0) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        db_close(w->db);
        free(w);
        return err_set(err, ERR_UNAVAILABLE, "writer: no thread to be had");
    }
    *out = w;
    return 0;
}

static const char *refusal(const struct writer *w)
{
    return w->closing ? "shutting down" :
           w->stats.broken ? "storage is damaged or failed to sync: keepd must be restarted" :
           w->n_queued >= w->queue_max ? "too many writes are waiting" : NULL;
}

int writer_submit(struct writer *w, struct write_job *job, struct err *err)
{
    pthread_mutex_lock(&w->lock);
    const char *why = refusal(w);
    if (why == NULL) {
        job->next = NULL;
        *w->tail = job;
        w->tail = &job->next;
        w->n_queued++;
        pthread_cond_signal(&w->wake);
    } else {
        w->stats.refused++;
    }
    pthread_mutex_unlock(&w->lock);
    return why == NULL ? 0 : err_set(err, ERR_UNAVAILABLE, "%s", why);
}

struct wait {
    int (*run)(struct db *, void *, struct err *);
    void *arg;
    sem_t ended;
    int rc;
    struct err *err;
};

static int wait_run(struct db *db, void *arg, struct err *err)
{
    struct wait *wait = arg;

    return wait->run(db, wait->arg, err);
}

static void wait_done(void *arg, int rc, const struct err *err)
{
    struct wait *wait = arg;

    wait->rc = rc;
    if (rc != 0)
        *wait->err = *err;
    sem_post(&wait->ended);
}

int writer_call(struct writer *w, int (*run)(struct db *, void *, struct err *), void *arg, struct err *err)
{
    struct wait wait = { .run = run, .arg = arg, .err = err };
    struct write_job job = { .run = wait_run, .done = wait_done, .arg = &wait };

    assert(!pthread_equal(pthread_self(), w->thread));
    sem_init(&wait.ended, 0, 0);
    if (writer_submit(w, &job, err) != 0) {
        sem_destroy(&wait.ended);
        return -1;
    }
    while (sem_wait(&wait.ended) != 0)
        continue;                      /* a signal */
    sem_destroy(&wait.ended);
    return wait.rc;
}

void writer_stats(struct writer *w, struct writer_stats *out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->stats;
    out->queue = (int64_t)w->n_queued;
    pthread_mutex_unlock(&w->lock);
}

void writer_close(struct writer *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    db_close(w->db);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
