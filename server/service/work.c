/* work.c - see work.h. */
#include "service/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_THREADS = 64 };

struct lane {
    struct work_job *first, **last;
};

struct worker {
    struct work_pool *pool;
    struct db *reader;
    pthread_t thread;
};

struct work_pool {
    pthread_mutex_t lock;            /* guards lanes, counts and closing */
    pthread_cond_t wake;
    struct lane small, large;
    size_t waiting, queue_max, running, large_running;
    bool closing, turn;              /* turn: whose lane goes first when both may */
    int64_t done, refused;
    atomic_size_t bytes;
    atomic_llong bytes_refused;
    size_t bytes_max;
    unsigned n_threads, n_started;
    struct worker workers[MAX_THREADS];
};

static void lane_init(struct lane *l)
{
    l->first = NULL;
    l->last = &l->first;
}

static void lane_put(struct lane *l, struct work_job *job)
{
    job->next = NULL;
    *l->last = job;
    l->last = &job->next;
}

static struct work_job *lane_take(struct lane *l)
{
    struct work_job *job = l->first;

    l->first = job->next;
    if (l->first == NULL)
        l->last = &l->first;
    return job;
}

/* Large jobs leave one thread free, unless there is only one. */
static bool may_take_large(const struct work_pool *p)
{
    return p->large.first != NULL && (p->n_threads == 1 || p->large_running + 1 < p->n_threads);
}

/* The next job that may run now, or NULL.  When both lanes have one they alternate. */
static struct work_job *take(struct work_pool *p)
{
    bool large = may_take_large(p), small = p->small.first != NULL;

    if (!large && !small)
        return NULL;
    if (large && small) {
        large = p->turn;
        p->turn = !p->turn;
    }
    p->waiting--;
    p->running++;
    p->large_running += large;
    return lane_take(large ? &p->large : &p->small);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct work_pool *p = w->pool;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct work_job *job = take(p);
        if (job == NULL) {
            if (p->closing && p->waiting == 0)
                break;
            pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        bool large = job->large;
        pthread_mutex_unlock(&p->lock);
        job->run(job->arg, w->reader);           /* job is gone after this */
        pthread_mutex_lock(&p->lock);
        p->running--;
        p->large_running -= large;
        p->done++;
        if (large || p->closing)                 /* a large job may have become possible */
            pthread_cond_broadcast(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_worker(struct work_pool *p, const struct work_config *cfg, struct worker *w, struct err *err)
{
    w->pool = p;
    if (cfg->db_url != NULL &&
        (db_open(cfg->db_url, DB_READER, &w->reader, err) != 0 ||
         db_prepare_all(w->reader, cfg->sets, cfg->n_sets, err) != 0)) {
        db_close(w->reader);
        return -1;
    }
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
        db_close(w->reader);
        return err_set(err, ERR_UNAVAILABLE, "cannot start a worker thread");
    }
    p->n_started++;
    return 0;
}

int work_open(const struct work_config *cfg, struct work_pool **out, struct err *err)
{
    struct work_pool *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err_nomem(err);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    lane_init(&p->small);
    lane_init(&p->large);
    p->n_threads = cfg->threads == 0 ? 4 : cfg->threads > MAX_THREADS ? MAX_THREADS : cfg->threads;
    p->queue_max = cfg->queue_max == 0 ? 256 : cfg->queue_max;
    p->bytes_max = cfg->bytes_max == 0 ? (size_t)256 << 20 : cfg->bytes_max;
    for (unsigned i = 0; i < p->n_threads; i++) {
        if (start_worker(p, cfg, &p->workers[i], err) != 0) {
            work_close(p);
            return -1;
        }
    }
    *out = p;
    return 0;
}

int work_submit(struct work_pool *p, struct work_job *job, struct err *err)
{
    pthread_mutex_lock(&p->lock);
    bool refused = p->closing || p->waiting >= p->queue_max;
    if (refused) {
        p->refused++;
    } else {
        lane_put(job->large ? &p->large : &p->small, job);
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return refused ? err_set(err, ERR_UNAVAILABLE, "the work queue is full") : 0;
}

bool work_reserve(struct work_pool *p, size_t bytes)
{
    size_t now = atomic_load(&p->bytes);

    do {
        if (bytes > p->bytes_max || now > p->bytes_max - bytes) {
            atomic_fetch_add(&p->bytes_refused, 1);
            return false;
        }
    } while (!atomic_compare_exchange_weak(&p->bytes, &now, now + bytes));
    return true;
}

void work_release(struct work_pool *p, size_t bytes)
{
    atomic_fetch_sub(&p->bytes, bytes);
}

void work_stats(struct work_pool *p, struct work_stats *out)
{
    pthread_mutex_lock(&p->lock);
    *out = (struct work_stats){
        .queue = (int64_t)p->waiting, .running = (int64_t)p->running, .done = p->done, .refused = p->refused,
    };
    pthread_mutex_unlock(&p->lock);
    out->bytes = (int64_t)atomic_load(&p->bytes);
    out->bytes_refused = (int64_t)atomic_load(&p->bytes_refused);
}

void work_close(struct work_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_started; i++) {
        pthread_join(p->workers[i].thread, NULL);
        db_close(p->workers[i].reader);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
