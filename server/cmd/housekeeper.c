/* housekeeper.c - see housekeeper.h.  It never opens a connection of its own: all it
 * does goes through the writer, in small jobs, so that requests never wait long. */
#include "cmd/housekeeper.h"

#include "base/time.h"
#include "db/ballast.h"
#include "service/auth.h"
#include "service/events.h"
#include "service/containers.h"
#include "service/drift_state.h"
#include "service/judge_image.h"
#include "service/nodes.h"
#include "store/admission.h"
#include "store/image.h"
#include "store/opa.h"
#include "store/scan.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGAIN_MS = 3600 * 1000, JUDGE_AT_ONCE = 32, CONTAINERS_AT_ONCE = 64, RETAIN_AT_ONCE = 100, ADMISSIONS_AT_ONCE = 500,
       OBSERVATIONS_AT_ONCE = 300, TICK_MS = 500, FORGET_MS = 1000 };

struct housekeeper {
    struct app *app;
    const struct log *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool closing;
    bool had_ballast;
    int64_t flushed_ms, swept_ms, retained_to;
};

struct round {
    struct app *app;
    int64_t now_ms;
    size_t n;                     /* done in this round */
    int64_t after_image;          /* where retention goes on */
    size_t n_failed;
    struct err failure;           /* of the last that failed by itself */
};

/* ---- verdicts that fall due ---------------------------------------------------- */

/* An image that cannot be judged (too much for the memory a judgement may have) must
 * not keep the others from it.  A database that failed refuses the postponing, too. */
static int judge_one(struct db *db, struct round *r, int64_t id, const char *cause, struct err *err)
{
    struct arena arena;
    struct verdict verdict;

    arena_init(&arena, 256 << 20);
    int rc = image_judge(r->app, db, id, cause, r->now_ms, r->now_ms, &arena, &verdict, &r->failure);
    arena_clear(&arena);
    if (rc == 0)
        return 0;
    r->n_failed++;
    return image_postpone(db, id, r->now_ms + AGAIN_MS, err);
}

static int judge_due(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;
    struct arena arena;
    int64_t *ids;
    const char **causes;

    arena_init(&arena, 1 << 20);
    r->n_failed = 0;
    int rc = image_due(db, r->now_ms, JUDGE_AT_ONCE, &arena, &ids, &causes, &r->n, err);
    for (size_t i = 0; rc == 0 && i < r->n; i++)
        rc = judge_one(db, r, ids[i], causes[i] != NULL ? causes[i] : "time", err);
    arena_clear(&arena);
    return rc;
}

static int judge_containers(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;

    return containers_judge_due(r->app, db, r->now_ms, CONTAINERS_AT_ONCE, &r->n, err);
}

static int forget_containers(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;

    return containers_forget_lost(r->app, db, r->now_ms, RETAIN_AT_ONCE, &r->n, err);
}

static int retain(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;
    int64_t dropped = 0;
    int rc = scan_retain(db, r->app->settings.retain_scans, RETAIN_AT_ONCE, &r->after_image, &dropped, err);

    r->n = (size_t)dropped;
    return rc;
}

static int retain_admissions(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;
    const struct settings *s = &r->app->settings;
    int64_t dropped = 0;
    int rc = admission_retain(db, r->now_ms - s->retain_admissions_ms, s->retain_admissions, ADMISSIONS_AT_ONCE, &dropped, err);

    r->n = dropped >= ADMISSIONS_AT_ONCE ? ADMISSIONS_AT_ONCE : 0;
    return rc;
}

static int retain_opa(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;
    const struct settings *s = &r->app->settings;
    int64_t dropped = 0;
    int rc = opa_retain(db, r->now_ms - s->retain_decisions_ms, s->retain_decisions, ADMISSIONS_AT_ONCE, &dropped, err);

    r->n = dropped >= ADMISSIONS_AT_ONCE ? ADMISSIONS_AT_ONCE : 0;
    return rc;
}

/* A portion of what is to be forgotten; events flow on between two of them. */
static int retain_events(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;
    bool more = false;
    int rc = ingest_retain(r->app, db, r->now_ms, &more, err);

    r->n = more ? 1 : 0;
    return rc;
}

static int flush_observations(struct db *db, void *arg, struct err *err)
{
    struct round *r = arg;
    bool more;
    int rc = drift_state_flush(r->app, db, r->now_ms, OBSERVATIONS_AT_ONCE, &more, err);

    r->n = rc == 0 && more ? OBSERVATIONS_AT_ONCE : 0;
    return rc;
}

static void complain_about(struct housekeeper *h, const char *what, const struct err *err)
{
    LOG(h->log, LOG_WARN, "housekeeping failed", LOG_TEXT("job", what), LOG_TEXT("error", err->msg));
}

/* Repeats a job in small transactions while it finds work. */
static void drain(struct housekeeper *h, const char *what, int (*job)(struct db *, void *, struct err *), size_t full)
{
    struct round r = { .app = h->app, .n = full, .after_image = h->retained_to };

    while (r.n == full && !h->closing) {
        struct err err = { 0 };
        r.now_ms = time_now_ms();
        r.n = 0;
        if (writer_call(h->app->writer, job, &r, &err) != 0) {
            complain_about(h, what, &err);
            return;
        }
        if (r.n_failed > 0)
            complain_about(h, what, &r.failure);
        h->retained_to = r.after_image;
    }
}

/* As much may come as goes: then the rest has to wait for the next round. */
static void forget_events(struct housekeeper *h)
{
    struct round r = { .app = h->app, .n = 1 };
    int64_t until = time_monotonic_ms() + FORGET_MS;
    struct err err = { 0 };

    while (r.n > 0 && !h->closing && time_monotonic_ms() < until) {
        r.now_ms = time_now_ms();
        if (writer_call(h->app->writer, retain_events, &r, &err) != 0) {
            complain_about(h, "retention of events", &err);
            return;
        }
    }
}

/* A full disk can neither delete nor checkpoint: the ballast makes room for that. A
 * failed fsync cannot be mended by going on: end, and let the supervisor start anew. */
static void watch_storage(struct housekeeper *h)
{
    struct writer_stats stats;
    struct err err = { 0 };

    writer_stats(h->app->writer, &stats);
    if (stats.broken) {
        LOG(h->log, LOG_ERROR, "storage failed; stopping", LOG_INT("jobs", stats.jobs));
        kill(getpid(), SIGTERM);
    } else if (stats.full && h->had_ballast) {
        LOG(h->log, LOG_ERROR, "the disk is full; space held back is released", LOG_INT("wal_bytes", stats.wal_bytes));
        ballast_release(h->app->data_dir);
        h->had_ballast = false;
    } else if (stats.full) {
        return;                        /* retention and the writer's checkpoints are at it */
    } else if (!h->had_ballast && h->app->data_dir != NULL) {
        h->had_ballast = ballast_keep(h->app->data_dir, BALLAST_BYTES, &err) == 0;
    }
}

static void tick(struct housekeeper *h)
{
    struct err err = { 0 };
    int64_t mono = time_monotonic_ms();

    watch_storage(h);
    drain(h, "judge", judge_due, JUDGE_AT_ONCE);
    forget_events(h);
    drain(h, "judge containers", judge_containers, CONTAINERS_AT_ONCE);
    if (nodes_refresh(h->app, time_now_ms(), &err) != 0)
        complain_about(h, "nodes", &err);
    if (mono - h->flushed_ms >= 10 * MS_SECOND) {
        h->flushed_ms = mono;
        if (auth_flush_touched(h->app, &err) != 0)
            complain_about(h, "last use", &err);
        drain(h, "observations", flush_observations, OBSERVATIONS_AT_ONCE);
    }
    if (mono - h->swept_ms >= MS_MINUTE) {
        h->swept_ms = mono;
        if (auth_sweep(h->app, time_now_ms(), &err) != 0)
            complain_about(h, "sweep", &err);
        drain(h, "retention", retain, RETAIN_AT_ONCE);
        drain(h, "containers of nodes that are gone", forget_containers, RETAIN_AT_ONCE);
        drain(h, "retention of admissions", retain_admissions, ADMISSIONS_AT_ONCE);
        drain(h, "retention of OPA's reports", retain_opa, ADMISSIONS_AT_ONCE);
    }
}

static void *run(void *arg)
{
    struct housekeeper *h = arg;

    pthread_mutex_lock(&h->lock);
    while (!h->closing) {
        struct timespec until;
        pthread_mutex_unlock(&h->lock);
        tick(h);
        clock_gettime(CLOCK_MONOTONIC, &until);        /* a clock that is set back must not stop us */
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&h->lock);
        if (!h->closing)
            pthread_cond_timedwait(&h->wake, &h->lock, &until);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

int housekeeper_open(struct app *app, const struct log *log, struct housekeeper **out, struct err *err)
{
    struct housekeeper *h = calloc(1, sizeof *h);

    if (h == NULL)
        return err_nomem(err);
    h->app = app;
    h->log = log;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&h->thread, NULL, run, h) != 0) {
        free(h);
        return err_set(err, ERR_UNAVAILABLE, "cannot start a thread");
    }
    *out = h;
    return 0;
}

void housekeeper_close(struct housekeeper *h)
{
    struct err err = { 0 };

    if (h == NULL)
        return;
    pthread_mutex_lock(&h->lock);
    h->closing = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    h->closing = false;                    /* drain goes on to the end */
    drain(h, "observations", flush_observations, OBSERVATIONS_AT_ONCE);
    if (auth_flush_touched(h->app, &err) != 0)
        complain_about(h, "last use", &err);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
    free(h);
}
