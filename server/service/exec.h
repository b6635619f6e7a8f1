/* exec.h - one handler, one transaction.
 *
 * Nobody else writes begin, commit or a retry.  A READ handler (and the
 * `prepare` step of a WRITE one) runs inside a read transaction on the worker's
 * own connection; a WRITE handler runs on the writer's thread, in its savepoint,
 * and is answered after the commit.  What failed because the database was busy
 * is tried again, EXEC_TRIES times in all. */
#ifndef KEEP_SERVICE_EXEC_H
#define KEEP_SERVICE_EXEC_H

#include "base/buf.h"
#include "db/writer.h"
#include "service/call.h"

enum { EXEC_TRIES = 4, EXEC_ANSWER_MAX = 64 << 20 };

/* An answer kept for a repeated Idempotency-Key. */
struct kept_answer {
    int status;
    struct bytes body;             /* JSON, or empty */
};

enum { REQUEST_HASH_LEN = 32 };    /* SHA-256 of method, target and body */

/* Where kept answers live (the store); both run inside the write transaction. */
struct keep_answers {
    /* 1 found, 0 none, -1 error; ERR_CONFLICT when the key came with another request. */
    int (*get)(struct db *db, const char *caller, const char *key, const uint8_t request[REQUEST_HASH_LEN],
               struct arena *arena, struct kept_answer *out, struct err *err);
    int (*put)(struct db *db, const char *caller, const char *key, const uint8_t request[REQUEST_HASH_LEN],
               const struct kept_answer *answer, int64_t now_ms, struct err *err);
};

/* One execution; zeroed, then filled by the dispatcher. */
struct exec {
    const struct route *route;
    struct call *call;
    const void *in;
    void *out;                     /* route->out->size bytes, zeroed; NULL without a shape */

    const char *key;               /* Idempotency-Key, or NULL */
    uint8_t request[REQUEST_HASH_LEN];
    const struct keep_answers *keep;         /* NULL: the key is ignored */
    struct buf encoded;            /* the answer as JSON once it had to be kept or was replayed (buf_free) */
    bool replayed;

    struct write_job job;
    struct writer *writer;
    unsigned tries;
    void (*done)(void *exec, int rc, const struct err *err);  /* after commit or rollback, on the writer's thread */
};

/* fn is route->run or route->prepare.  reader may be NULL (tests without a database). */
int exec_read(struct exec *x, call_fn *fn, struct db *reader, struct err *err);

/* Queues the run step.  -1: refused at once, done is not called. */
int exec_write(struct exec *x, struct err *err);

/* Should it be tried again?  Counts the try. */
bool exec_again(struct exec *x, const struct err *err);

/* The answer struct and the call's answer fields as before the first try. */
void exec_reset(struct exec *x);

#endif
