/* writer.h - the one thread that writes.
 *
 * Write calls queue up; the thread takes all that wait, opens one transaction,
 * runs each job in a savepoint (one that fails hurts nobody), commits once, and
 * only then answers them: durability costs one fsync per batch, not per
 * request.  A commit that fails answers every job of the batch with that error.
 * Between batches the same thread checkpoints: nobody else ever does. */
#ifndef KEEP_DB_WRITER_H
#define KEEP_DB_WRITER_H

#include "db/db.h"

struct writer;

/* A job is embedded in the caller's request and must live until `done` ran. */
struct write_job {
    int (*run)(struct db *db, void *arg, struct err *err);        /* inside the savepoint */
    void (*done)(void *arg, int rc, const struct err *err);       /* after commit or rollback, on the writer thread; must not block */
    void *arg;
    struct write_job *next;
    struct err err;
    int rc;
};

struct writer_stats {
    int64_t jobs, failed, batches, refused, checkpoints;
    int64_t queue;                 /* waiting now */
    int64_t commit_us_last;
    int64_t wal_bytes;
};

/* Opens the DB_WRITER connection and starts the thread.  queue_max bounds what
 * may wait; batch_max how much one transaction takes. */
int writer_open(const char *url, const struct db_queries *sets, size_t n_sets,
                size_t queue_max, size_t batch_max, struct writer **out, struct err *err);

/* ERR_UNAVAILABLE at once when the queue is full or the writer is closing;
 * then neither run nor done is called. */
int writer_submit(struct writer *w, struct write_job *job, struct err *err);

/* Submits and waits: for threads that may block (housekeeper, start-up). */
int writer_call(struct writer *w, int (*run)(struct db *, void *, struct err *), void *arg, struct err *err);

void writer_stats(struct writer *w, struct writer_stats *out);

/* Finishes what is queued, checkpoints (TRUNCATE), closes. NULL-safe. */
void writer_close(struct writer *w);

#endif
