/* writer.h - the one thread that writes.
 *
 * Write calls queue up; the thread takes all that wait, opens one transaction,
 * runs each job in a savepoint (one that fails hurts nobody), commits once, and
 * only then answers them: durability costs one fsync per batch, not per
 * request.  A commit that fails answers every job of the batch with that error.
 * Between batches the same thread checkpoints: nobody else ever does.
 *
 * When a job makes the engine give up the whole transaction (disk full, I/O
 * error, connection lost), the jobs that had run share its error; the others run
 * in a transaction of their own.  After a failed fsync or a damaged file nothing
 * that is written can be trusted: the writer is then `broken`, refuses everything
 * with ERR_UNAVAILABLE, and the process has to start anew.
 *
 * While the last batch or checkpoint met a full disk (`full`), every batch is
 * followed by an attempt to truncate the log, so that the writer recovers by
 * itself as soon as space is there (see ballast.h). */
#ifndef KEEP_DB_WRITER_H
#define KEEP_DB_WRITER_H

#include "db/db.h"

struct writer;

/* A job is embedded in the caller's request and must live until `done` ran; it
 * may be gone when `done` returns.  `run` is called at most once. */
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
    bool broken, full;
};

/* Opens the DB_WRITER connection and starts the thread.  queue_max bounds what
 * may wait; batch_max how much one transaction takes. */
int writer_open(const char *url, const struct db_queries *sets, size_t n_sets,
                size_t queue_max, size_t batch_max, struct writer **out, struct err *err);

/* ERR_UNAVAILABLE at once when the queue is full or the writer is closing;
 * then neither run nor done is called. */
int writer_submit(struct writer *w, struct write_job *job, struct err *err);

/* Submits and waits: for threads that may block (housekeeper, start-up), never
 * from a job or a `done`. */
int writer_call(struct writer *w, int (*run)(struct db *, void *, struct err *), void *arg, struct err *err);

void writer_stats(struct writer *w, struct writer_stats *out);

/* Finishes what is queued, checkpoints (TRUNCATE), closes. NULL-safe.  Nobody may
 * submit or ask any more. */
void writer_close(struct writer *w);

#endif
