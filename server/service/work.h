/* work.h - the worker pool: a bounded queue, N threads, a reader connection each.
 *
 * Jobs come in two sizes.  Large ones (a big body to verify and parse) never
 * occupy the last thread, so that a review or a page is not queued behind a
 * minute of scan reports.  When the queue is full the answer is no, at once. */
#ifndef KEEP_SERVICE_WORK_H
#define KEEP_SERVICE_WORK_H

#include "base/err.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct work_pool;

/* Embedded in the caller's request; lives until run returned. */
struct work_job {
    void (*run)(void *arg, struct db *reader);   /* reader is this thread's own; NULL when the pool has no database */
    void *arg;
    bool large;
    struct work_job *next;                       /* the pool's */
};

struct work_config {
    const char *db_url;                          /* NULL: no reader connections (tests) */
    const struct db_queries *sets;               /* prepared on every connection */
    size_t n_sets;
    unsigned threads;                            /* 0: 4 */
    size_t queue_max;                            /* jobs that may wait; 0: 256 */
    size_t bytes_max;                            /* of request bodies in memory at once; 0: 256 MiB */
};

struct work_stats {
    int64_t queue, running, done, refused;
    int64_t bytes;                               /* reserved now */
    int64_t bytes_refused;
};

int work_open(const struct work_config *cfg, struct work_pool **out, struct err *err);

/* ERR_UNAVAILABLE when the queue is full or the pool is closing; run is then never called. */
int work_submit(struct work_pool *p, struct work_job *job, struct err *err);

/* Room for a request body, counted over all requests; every successful reserve
 * is given back once.  False when it would pass bytes_max. */
bool work_reserve(struct work_pool *p, size_t bytes);
void work_release(struct work_pool *p, size_t bytes);

void work_stats(struct work_pool *p, struct work_stats *out);

/* Runs what is queued to its end, then joins the threads. NULL-safe. */
void work_close(struct work_pool *p);

#endif
